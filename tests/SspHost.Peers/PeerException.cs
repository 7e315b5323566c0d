// A peer that cannot be measured: one line that says why. The others go on.
namespace SspHost.Peers;

internal sealed class PeerException(string why) : Exception(why);
