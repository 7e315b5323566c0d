// ssp symbols: the file that makes names and lines of addresses, made at build and asked by hand.
using System.CommandLine;
using System.Globalization;
using SspHost.Diagnostics.Symbols;

namespace SspHost.Commands;

internal static class SymbolsCommand
{
    public static Command Build() => new("symbols", "Names and lines of the engine's addresses.") { Make(), Resolve() };

    private static Command Make()
    {
        var image = Flags.NoFlag(new Argument<string>("image") { Description = "The unstripped executable, or the .dbg file split off it." });
        var output = new Option<string>("--output", "-o") { Description = "The file to write.", HelpName = "FILE", Required = true };
        var command = new Command("make", "Make the symbol file of an executable.") { image, output };
        command.SetAction(r =>
        {
            var from = r.GetValue(image)!;
            var table = Guarded(() => SymbolMaker.FromImage(ElfImage.Open(from)), from);
            var file = table.Write();
            Patching.AtomicFile.Write(r.GetValue(output)!, file);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.GetValue(output)}: {table.FunctionCount} functions, {table.LineCount} lines, {file.Length / 1024.0:0} KiB"));
            return 0;
        });
        return command;
    }

    private static Command Resolve()
    {
        var file = Flags.NoFlag(new Argument<string>("file") { Description = "A symbol file." });
        var addresses = new Argument<string[]>("address") { Description = "Addresses relative to the image, in hex.", Arity = ArgumentArity.OneOrMore };
        var command = new Command("resolve", "Say which function and line addresses are of.") { file, addresses };
        command.SetAction(r =>
        {
            var from = r.GetValue(file)!;
            var table = Guarded(() => SymbolTable.Open(from), from);
            foreach (var word in r.GetValue(addresses)!)
            {
                var digits = word.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? word[2..] : word;
                if (!ulong.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var address))
                    throw new CommandException($"'{Patching.PatchError.OneLine(word)}': expected an address in hex, such as 1a2b or 0x1a2b");
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{address:x} {table.Find(address)}"));
            }

            return 0;
        });
        return command;
    }

    private static SymbolTable Guarded(Func<SymbolTable> read, string file)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new CommandException(e.Message.StartsWith(file, StringComparison.Ordinal) ? e.Message : $"{file}: {e.Message}");
        }
    }
}
