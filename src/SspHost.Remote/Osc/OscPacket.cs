// OSC 1.0 as it comes over the wire: messages, and bundles of them with a time.
using System.Buffers.Binary;
using System.Text;

namespace SspHost.Remote.Osc;

/// <summary>An argument: i, f, s, T or F.</summary>
/// <param name="Kind">The type tag.</param>
/// <param name="Number">i and f; 1 and 0 of T and F.</param>
/// <param name="Text">s.</param>
internal readonly record struct OscValue(char Kind, double Number, string Text = "");

/// <summary>A message.</summary>
/// <param name="Time">NTP time tag of the bundle it came in; 1: at once.</param>
internal sealed record OscMessage(string Address, IReadOnlyList<OscValue> Values, ulong Time = OscPacket.AtOnce);

/// <summary>Reads and writes packets.</summary>
internal static class OscPacket
{
    public const ulong AtOnce = 1;

    /// <summary>Bytes of a packet at most: what a datagram holds.</summary>
    public const int MostBytes = 65_507;

    private const int MostDepth = 4;
    private const int MostMessages = 1024;
    private const int MostText = 256;

    /// <summary>The messages of a packet in order; false where it is none, and <paramref name="messages"/> then has nothing.</summary>
    public static bool TryRead(ReadOnlySpan<byte> packet, List<OscMessage> messages)
    {
        messages.Clear();
        if (Read(packet, AtOnce, 0, messages)) return true;
        messages.Clear();
        return false;
    }

    /// <summary>A message as a packet.</summary>
    public static byte[] Write(OscMessage message)
    {
        var to = new List<byte>(64);
        PutText(to, message.Address);
        PutText(to, "," + string.Concat(message.Values.Select(v => v.Kind)));
        Span<byte> four = stackalloc byte[4];
        foreach (var v in message.Values)
        {
            switch (v.Kind)
            {
                case 'i':
                    BinaryPrimitives.WriteInt32BigEndian(four, (int)v.Number);
                    to.AddRange(four);
                    break;
                case 'f':
                    BinaryPrimitives.WriteSingleBigEndian(four, (float)v.Number);
                    to.AddRange(four);
                    break;
                case 's':
                    PutText(to, v.Text);
                    break;
            }
        }

        return [.. to];
    }

    private static bool Read(ReadOnlySpan<byte> packet, ulong time, int depth, List<OscMessage> messages)
    {
        if (packet.Length % 4 != 0 || depth > MostDepth || messages.Count >= MostMessages) return false;
        return packet.StartsWith("#bundle\0"u8) ? ReadBundle(packet, depth, messages) : ReadMessage(packet, time, messages);
    }

    private static bool ReadBundle(ReadOnlySpan<byte> packet, int depth, List<OscMessage> messages)
    {
        if (packet.Length < 16) return false;
        var time = BinaryPrimitives.ReadUInt64BigEndian(packet[8..]);
        packet = packet[16..];
        while (!packet.IsEmpty)
        {
            var size = BinaryPrimitives.ReadInt32BigEndian(packet); // four bytes are there: the length is a multiple of four
            packet = packet[4..];
            if (size <= 0 || size > packet.Length || !Read(packet[..size], time, depth + 1, messages)) return false;
            packet = packet[size..];
        }

        return true;
    }

    private static bool ReadMessage(ReadOnlySpan<byte> packet, ulong time, List<OscMessage> messages)
    {
        if (!TakeText(ref packet, out var address) || !address.StartsWith('/')) return false;
        var tags = ",";
        // Old senders leave the type tags out where there are no arguments.
        if (!packet.IsEmpty && (!TakeText(ref packet, out tags) || !tags.StartsWith(','))) return false;
        var values = new List<OscValue>(tags.Length - 1);
        foreach (var tag in tags.AsSpan(1))
        {
            switch (tag)
            {
                case 'T' or 'F':
                    values.Add(new OscValue(tag, tag == 'T' ? 1 : 0));
                    break;
                case 'i' when packet.Length >= 4:
                    values.Add(new OscValue('i', BinaryPrimitives.ReadInt32BigEndian(packet)));
                    packet = packet[4..];
                    break;
                case 'f' when packet.Length >= 4:
                    values.Add(new OscValue('f', BinaryPrimitives.ReadSingleBigEndian(packet)));
                    packet = packet[4..];
                    break;
                case 's' when TakeText(ref packet, out var text):
                    values.Add(new OscValue('s', 0, text));
                    break;
                default:
                    return false;
            }
        }

        if (!packet.IsEmpty) return false;
        messages.Add(new OscMessage(address, values, time));
        return true;
    }

    // ASCII, ended by a zero, filled up with zeros to a multiple of four.
    private static bool TakeText(ref ReadOnlySpan<byte> packet, out string text)
    {
        text = "";
        var end = packet.IndexOf((byte)0);
        if (end is < 0 or > MostText || packet[..end].IndexOfAnyExceptInRange((byte)0x20, (byte)0x7E) >= 0) return false;
        var whole = (end + 4) & ~3;
        if (whole > packet.Length || packet[end..whole].IndexOfAnyExcept((byte)0) >= 0) return false;
        text = Encoding.ASCII.GetString(packet[..end]);
        packet = packet[whole..];
        return true;
    }

    private static void PutText(List<byte> to, string text)
    {
        to.AddRange(Encoding.ASCII.GetBytes(text));
        do to.Add(0);
        while (to.Count % 4 != 0);
    }
}
