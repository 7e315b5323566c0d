// A file that stands while settings are tried: a host that dies in a trial leaves an engine that plays with what nobody has kept.
using SspHost.Patching;

namespace SspHost.Playing.Desks;

/// <summary>In the state directory.</summary>
internal static class TrialMark
{
    /// <summary>Whether a trial was going on when the host before ended.</summary>
    public static bool Stands(string state) => File.Exists(PathIn(state));

    /// <summary>Sets it; null, or why it cannot be: then nothing may be tried.</summary>
    public static string? Set(string state)
    {
        try
        {
            Directory.CreateDirectory(state);
            AtomicFile.Write(PathIn(state), "what plays is being tried\n"u8);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"{PathIn(state)}: {PatchError.OneLine(e.Message, 200)}";
        }
    }

    /// <summary>Takes it away.</summary>
    public static void Clear(string state)
    {
        try
        {
            File.Delete(PathIn(state));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next start stops and starts audio once for nothing.
        }
    }

    private static string PathIn(string state) => Path.Combine(state, "trial");
}
