// The other process of the lock tests: this same assembly, started as a program.
namespace SspHost.Abi.Tests;

internal static class RegionPeer
{
    /// <summary>First argument that makes this program hold a region's lock.</summary>
    public const string Verb = "hold-region-lock";

    private static int Main(string[] args)
    {
        if (args is not [Verb, var path])
        {
            Console.Error.WriteLine($"usage: {Verb} PATH   (the tests run under `dotnet test`)");
            return 2;
        }

        using var map = RegionMap.Attach(path);
        if (!map.TryLock())
        {
            Console.WriteLine("busy");
            return 1;
        }

        Console.WriteLine("locked");
        Thread.Sleep(60_000); // until it is killed
        return 0;
    }
}
