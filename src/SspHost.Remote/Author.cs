// Who changes the patch at this moment: told along with the change.
namespace SspHost.Remote;

/// <summary>A client, or nobody: then it is the host itself (a culprit that is bypassed).</summary>
/// <param name="Name">As it called itself in `hello`.</param>
/// <param name="Client">Its number.</param>
/// <param name="Action">The command.</param>
internal sealed record Author(string Name, long Client, string Action)
{
    // A session tells its changes on the thread that makes them.
    [ThreadStatic]
    private static Author? _present;

    /// <summary>Whose command this thread carries out; null: nobody's.</summary>
    public static Author? Present => _present;

    /// <summary>Carries out a command in somebody's name.</summary>
    public static T For<T>(Author author, Func<T> work)
    {
        _present = author;
        try
        {
            return work();
        }
        finally
        {
            _present = null;
        }
    }
}
