// The recorder: what comes in is in its ring, frame for frame, take by take.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class RecorderTests
{
    private const int HeaderFloats = 640 / 4, BlockHeaderFloats = 32 / 4, Capacity = 128;

    [Fact]
    public void The_ring_is_as_long_as_its_telemetry() =>
        Assert.Equal(RecordRing.BytesFor(8, Capacity), Registered.Descriptor("recorder").Telemetry[0].Length * (long)sizeof(float));

    [Fact]
    public void Each_track_is_in_the_ring_sample_for_sample_with_its_frame_on_the_clock()
    {
        using var rig = Make(tracks: 3, quantum: 64);
        rig["record"] = 1;
        rig.Run(3072);
        var blocks = Blocks(rig, 3);
        Assert.Equal(12, blocks.Count);
        foreach (var (b, samples) in blocks)
        {
            Assert.Equal((256, 48_000, 1), (b.Frames, b.Rate, b.Take));
            for (var track = 0; track < 3; track++)
                for (var i = 0; i < b.Frames; i++) Assert.Equal(Sound(track, 0, (long)b.Frame + i), samples[(track * b.Frames) + i]);
        }

        Assert.Equal(Enumerable.Range(0, 12).Select(static n => (ulong)(256 * n)), blocks.Select(static b => b.Head.Frame));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_gate_begins_and_ends_a_take_to_the_frame(int mode)
    {
        // Held: high from 1000 to 1500. Toggled: pulses at 1000 and at 1500.
        using var rig = Make(tracks: 1, quantum: 32);
        rig["mode"] = mode;
        rig.Input = (port, channel, frame) => port == 8
            ? mode == 0 ? frame is >= 1000 and < 1500 ? 10f : 0f : frame is >= 1000 and < 1048 or >= 1500 and < 1548 ? 10f : 0f
            : Sound(port, channel, frame);
        var light = rig.Run(2048)[0][0];
        for (var i = 0; i < light.Length; i++) Assert.Equal(i is >= 1000 and < 1500 ? 10f : 0f, light[i]);
        var blocks = Blocks(rig, 1);
        Assert.Equal([(1000ul, 256), (1256ul, 244), (1500ul, 0)], blocks.Select(static b => (b.Head.Frame, b.Head.Frames)));
        Assert.All(blocks, static b => Assert.Equal(1, b.Head.Take));
    }

    [Fact]
    public void A_second_take_has_another_number_and_level_is_a_gain()
    {
        using var rig = Make(tracks: 1, quantum: 32);
        rig["level"] = 6.0206f; // twice
        rig.Input = (port, channel, frame) => port == 8 ? frame % 600 < 300 ? 10f : 0f : 1.25f;
        rig.Run(1200);
        var blocks = Blocks(rig, 1).Where(static b => b.Head.Frames > 0).ToList();
        Assert.Equal([1, 1, 2, 2], blocks.Select(static b => b.Head.Take));
        Assert.All(blocks.SelectMany(static b => b.Samples), static v => Assert.Equal(2.5f, v, 5));
    }

    [Fact]
    public void Whoever_reads_too_late_can_tell_by_the_head()
    {
        using var rig = Make(tracks: 1, quantum: 256);
        rig["record"] = 1;
        rig.Run(256 * (Capacity + 40));
        Assert.Equal(Capacity + 40, Number(rig, 256 / 4)); // head: blocks begun
        Assert.Equal(Capacity + 40, Number(rig, 384 / 4)); // tail: blocks finished
    }

    [Fact]
    public void A_take_that_was_toggled_ends_where_the_mode_is_hold_again()
    {
        using var rig = Make(tracks: 1, quantum: 32);
        rig["mode"] = 1f;
        rig.Input = static (port, channel, frame) => port == 8 ? frame is >= 100 and < 148 ? 10f : 0f : Sound(port, channel, frame);
        Assert.Equal(10f, rig.Run(960)[0][0][^1]);
        rig["mode"] = 0f;
        Assert.Equal(0f, rig.Run(64)[0][0][^1]);
        rig["mode"] = 1f;
        Assert.Equal(0f, rig.Run(64)[0][0][^1]);
    }

    private static float Sound(int port, int channel, long frame) => port == 8 ? 0f : (float)((frame % 9973) + (port * 0.25) + channel) * 1e-3f;

    private static Rig Make(int tracks, int quantum) =>
        new("recorder", new RigOptions { Quantum = quantum, Settings = new() { ["tracks"] = tracks } }) { Input = Sound };

    private static int Number(Rig rig, int index) => BitConverter.SingleToInt32Bits(rig.Telemetry(index));

    private static List<(RecordBlock Head, float[] Samples)> Blocks(Rig rig, int tracks)
    {
        Assert.Equal((tracks, Capacity), (Number(rig, 0), Number(rig, 1)));
        var blocks = new List<(RecordBlock, float[])>();
        var tail = Number(rig, 384 / 4);
        var stride = BlockHeaderFloats + (tracks * Limits.MaxQuantum);
        for (var n = 0; n < tail; n++)
        {
            var at = HeaderFloats + (n % Capacity * stride);
            var head = new RecordBlock
            {
                Frame = (uint)Number(rig, at), Frames = Number(rig, at + 4), Rate = Number(rig, at + 5), Take = Number(rig, at + 7),
            };
            blocks.Add((head, [.. Enumerable.Range(0, head.Frames * tracks).Select(i => rig.Telemetry(at + BlockHeaderFloats + i))]));
        }

        return blocks;
    }
}
