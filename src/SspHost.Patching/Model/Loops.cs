// Loops: which cable of one is delayed, and until when.
namespace SspHost.Patching;

/// <summary>
/// The rule: the cable that closes a loop is delayed, and stays so until its ends no longer lie in one loop; an edit elsewhere
/// never moves the delay.
/// </summary>
public static class Loops;
