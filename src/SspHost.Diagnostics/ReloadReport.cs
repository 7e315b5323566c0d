// What became of libraries that were loaded anew.
namespace SspHost.Diagnostics;

/// <summary>A library that was loaded, and its modules.</summary>
public sealed record LoadedLibrary(string File, IReadOnlyList<string> Modules);

/// <summary>A library that was not, and why: one sentence.</summary>
public sealed record RefusedLibrary(string File, string Why);

/// <summary>All of them; neither where nothing was new.</summary>
public sealed record ReloadReport
{
    public required IReadOnlyList<LoadedLibrary> Loaded { get; init; }

    public required IReadOnlyList<RefusedLibrary> Refused { get; init; }
}
