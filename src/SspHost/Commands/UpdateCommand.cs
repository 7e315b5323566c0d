// ssp update: another version of the whole system into the slot that does not run, tried at the next start, and gone back from where it does not play.
using System.CommandLine;
using System.Globalization;
using SspHost.Updates;

namespace SspHost.Commands;

internal static class UpdateCommand
{
    public static Command Build()
    {
        var from = Flags.NoFlag(new Argument<string?>("from") { Description = "An update file, the address of one (http:// or https://), or usb: the newest on the sticks.", Arity = ArgumentArity.ZeroOrOne });
        var status = new Option<bool>("--status") { Description = "Say what runs, what was before, and what became of the last update." };
        var rollback = new Option<bool>("--rollback") { Description = "Back to the version before." };
        var restart = new Option<bool>("--restart") { Description = "Start the machine again, with what was installed." };
        var command = new Command("update", "Install another version of the system, or go back to the one before.") { from, status, rollback, restart };
        command.Validators.Add(r =>
        {
            var asked = (r.GetValue(from) != null ? 1 : 0) + (r.GetValue(rollback) ? 1 : 0) + (r.GetValue(status) ? 1 : 0);
            if (asked > 1 || (r.GetValue(status) && r.GetValue(restart))) r.AddError("expected one of a file, an address or usb, --rollback, --status");
        });
        command.SetAction(r => Run(new UpdateStation(), r.GetValue(from), r.GetValue(rollback), r.GetValue(restart)));
        return command;
    }

    /// <summary>Does what was asked; <see cref="CommandException"/> with why it was not done.</summary>
    public static int Run(UpdateStation station, string? from, bool rollback, bool restart)
    {
        if (from is null && !rollback && !restart)
        {
            foreach (var line in station.Describe()) Console.WriteLine(line);
            return 0;
        }

        if (from != null || rollback)
        {
            var screen = new Screen();
            void Progress(string what, int percent) => screen.Status(string.Create(CultureInfo.InvariantCulture, $"{what} {percent} %"));
            var why = rollback ? station.RollBack(Progress) : Install(station, from!, Progress);
            screen.Close();
            if (why != null) throw new CommandException(why);
        }

        if (!restart)
        {
            Console.WriteLine(station.Result() ?? "done");
            return 0;
        }

        if (station.Busy() is { } busy) throw new CommandException(busy);
        if (station.Leave("restart") is { } refused) throw new CommandException(refused);
        Console.WriteLine("the machine starts again");
        return 0;
    }

    private static string? Install(UpdateStation station, string from, Action<string, int> progress)
    {
        if (from.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || from.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
            return Uri.TryCreate(from, UriKind.Absolute, out var address) ? station.Fetch(address, progress) : $"{from}: expected the address of an update file";
        if (!string.Equals(from, "usb", StringComparison.OrdinalIgnoreCase)) return station.Install(Path.GetFullPath(from), progress);
        if (station.Busy() is { } busy) return busy;
        return station.OnSticks() is { } found ? station.Install(found.Path, progress) : "no stick has an update that is for this machine and newer than what runs";
    }
}
