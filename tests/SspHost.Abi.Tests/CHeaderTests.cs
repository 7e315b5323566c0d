// The committed C header says what the C# contract says, and a C compiler lays it out alike.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Abi.Tests;

public class CHeaderTests
{
    private static readonly string Sdk = Path.Combine(Root(), "dsp-modules", "sdk");

    /// <summary>After a change of the contract: SSP_UPDATE=1 dotnet test tests/SspHost.Abi.Tests --filter CHeader</summary>
    [Fact]
    public void The_committed_header_is_the_one_the_contract_generates()
    {
        var path = Path.Combine(Sdk, "ssp_module.h");
        var expected = CHeader.Generate();
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1") File.WriteAllText(path, expected);
        Assert.Equal(expected, File.ReadAllText(path));
    }

    [Fact]
    public void A_C_compiler_gives_every_struct_the_size_and_offsets_that_CSharp_gives_it()
    {
        var source = new StringBuilder("#include \"ssp_module.h\"\n");
        foreach (var s in CHeader.Structs)
        {
            var name = CHeader.CName(s);
            source.Append(CultureInfo.InvariantCulture, $"_Static_assert(sizeof({name}) == {Marshal.SizeOf(s)}, \"size of {name}\");\n");
            foreach (var f in CHeader.Fields(s))
                source.Append(CultureInfo.InvariantCulture, $"_Static_assert(offsetof({name}, {CHeader.FieldName(f)}) == {Marshal.OffsetOf(s, f.Name)}, \"{name}.{f.Name}\");\n");
        }

        Compile("cc", "-std=c11", ".c", source.ToString());
    }

    [Fact]
    public void The_header_is_clean_C11_and_Cplusplus17()
    {
        Compile("cc", "-std=c11", ".c", "#include \"ssp_module.h\"\nfloat f(const ssp_process_context *c) { return ssp_param(c, 0, 0) + *ssp_in(c, 0, 0) + *ssp_out(c, 0, 0); }\n");
        Compile("c++", "-std=c++17", ".cpp", "#include \"ssp_module.h\"\nfloat f(const ssp_process_context *c) { return ssp_param(c, 0, 0); }\n");
    }

    private static void Compile(string compiler, string standard, string extension, string source)
    {
        var file = Path.Combine(Path.GetTempPath(), $"ssp-header-{Environment.ProcessId}-{Guid.NewGuid():N}{extension}");
        File.WriteAllText(file, source);
        try
        {
            var start = new ProcessStartInfo(compiler, [standard, "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only", "-I", Sdk, file]) { RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            Assert.True(process.ExitCode == 0, errors);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string Root()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "SspHost.sln"))) return d.FullName;
        throw new DirectoryNotFoundException("the tests run outside of their repository");
    }
}
