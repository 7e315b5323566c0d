// What the looper claims: lengths to the sample, layers to the bit, seams and stops without clicks.
using SspHost.Abi;

namespace SspHost.Modules.Tests;

public class LooperTests
{
    private const int Rate = 48_000;

    // Frames after which nothing is left of a jump.
    private const int Bridge = 2000;

    [Theory]
    [InlineData(1000, 7777)]
    [InlineData(16, 4800)]
    [InlineData(333, 64)]
    public void A_loop_is_as_long_as_between_two_presses_to_the_sample(int start, int length)
    {
        var noise = Noise(1);
        using var rig = Ready(noise, [(start, 0), (start + length, 0)]);
        var output = rig.Run("left", start + (5 * length) + Bridge);
        var seam = Math.Min(480, length / 2);
        for (var i = start + length + Bridge; i < output.Length; i++)
        {
            var place = (i - start) % length;
            if (place >= seam) Assert.Equal(noise[start + place], output[i]);
            else if (i >= start + (2 * length) + Bridge) Assert.Equal(output[i - length], output[i]);
        }
    }

    [Fact]
    public void Presses_come_by_gate_knob_and_event_alike()
    {
        var noise = Noise(2);
        using var events = Ready(noise, [(1600, 0), (9600, 0), (16_000, 1)]);
        using var gates = Ready(noise, []);
        gates.Input = (port, _, frame) => port switch
        {
            0 => noise[frame],
            2 => frame is (>= 1600 and < 1700) or (>= 9600 and < 9700) ? 10f : 0f,
            3 => frame is >= 16_000 and < 16_100 ? 10f : 0f,
            _ => 0f,
        };
        using var knobs = Ready(noise, []);
        var (record, play) = (knobs.IndexOf("record"), knobs.IndexOf("play"));
        knobs.Parameter = (i, g) => i == record ? (g is >= 100 and < 600 ? 1f : 0f) : i == play ? (g < 1000 ? 1f : 0f) : knobs.Values[i];
        var expected = events.Run("left", 24_000);
        Assert.Equal(expected, gates.Run("left", 24_000));
        Assert.Equal(expected, knobs.Run("left", 24_000));
        Assert.All(expected[(16_000 + Bridge)..], static v => Assert.Equal(0f, v));
    }

    [Fact]
    public void With_sync_presses_wait_for_the_clock()
    {
        var noise = Noise(3);
        using var rig = Ready(noise, [(5000, 0), (20_001, 0)]);
        rig["sync"] = 1f;
        rig.Input = (port, _, frame) => port == 0 ? noise[frame] : port == 6 && frame % 6000 < 100 ? 10f : 0f;
        var output = rig.Run("left", 60_000);
        Assert.Equal(18_000 / (float)Rate, rig.Telemetry(2), 1e-6f); // from 6000 to 24000
        for (var i = 24_000 + Bridge; i < output.Length; i++)
        {
            var place = (i - 6000) % 18_000;
            if (place >= 480) Assert.Equal(noise[6000 + place], output[i]);
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void An_overdub_is_the_sum_with_what_feedback_leaves()
    {
        const int Length = 9600;
        foreach (var feedback in new[] { 1f, 0.5f })
        {
            var noise = Noise(4);
            using var rig = Ready(noise, [(0, 0), (Length, 0), (Length * 2, 0)]);
            rig["feedback"] = feedback;
            var output = rig.Run("left", 4 * Length);
            var worst = 0.0;
            for (var i = 480; i < Length; i++)
            {
                var expected = (noise[i] * (double)feedback) + noise[(2 * Length) + i];
                worst = Math.Max(worst, Math.Abs(output[(3 * Length) + i] - expected));
            }

            Quality.AtMost("looper", "error of an overdub", Spectrum.Decibels(worst / 5), -120, "dB");
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Undo_brings_back_the_very_bits_and_redo_takes_them_away_again(int layers)
    {
        const int Length = 4807;
        var noise = Noise(5);

        // Overdubs of half a loop to two, one a four loops; then as many undone, then as many brought back.
        var presses = new List<(int, int)> { (0, 0), (Length, 0) };
        for (var k = 0; k < layers; k++)
        {
            presses.Add((((4 * k) + 2) * Length, 0));
            presses.Add(((((4 * k) + 2) * Length) + ((k + 1) * Length / 2) + 777, 0));
        }

        var done = ((4 * layers) + 2) * Length;
        for (var k = 0; k < layers; k++) presses.Add((done + (2 * k * Length), 2));
        for (var k = 0; k < layers; k++) presses.Add((done + (2 * (layers + k) * Length), 3));
        using var rig = Ready(noise, presses, new RigOptions { Quantum = 64, Settings = new() { ["layers"] = layers } });
        var output = rig.Run("left", done + ((4 * layers) + 1) * Length);

        // A whole loop as it was before each overdub, and what it is when that many remain.
        float[] Loop(int at) => [.. Enumerable.Range(0, Length - 2000).Select(i => output[(at * Length) + i + 2000])];
        for (var k = 0; k < layers; k++)
        {
            var before = Loop((4 * k) + 1);
            var undone = Loop((4 * layers) + 2 + (2 * (layers - 1 - k)));
            Assert.Equal(before, undone);
            Assert.NotEqual(Loop((4 * k) + 5 > (4 * layers) + 1 ? (4 * layers) + 1 : (4 * k) + 5), undone);
            if (k > 0) Assert.Equal(before, Loop((4 * layers) + 2 + (2 * layers) + (2 * (k - 1))));
        }

        Assert.Equal(Loop((4 * layers) + 1), Loop((8 * layers)));
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Seam_stop_undo_and_overdub_do_not_click()
    {
        // 5011 frames are no whole number of periods.
        using var rig = Ready([], [(0, 0), (5011, 0), (20_000, 0), (23_000, 0), (30_000, 2), (40_000, 1), (45_000, 1), (60_000, 4)]);
        rig.Input = static (port, _, frame) => port == 0 ? 2f * (float)Math.Sin(frame * 0.03) : 0f;
        var output = rig.Run("left", 64_000);
        var largest = 0.0;
        for (var i = 1; i < output.Length; i++) largest = Math.Max(largest, Math.Abs(output[i] - (double)output[i - 1]));

        // Two layers of the sine, and 4 V that go within 2 ms.
        Quality.AtMost("looper", "largest step of all that may jump", largest, (2 * 2 * 0.03) + (4.0 / 96), "V");
    }

    [Fact]
    public void Reverse_and_half_speed_are_exact()
    {
        const int Length = 4800;
        var noise = Noise(6);
        using var reverse = Ready(noise, [(0, 0), (Length, 0)]);
        reverse.Parameter = (i, g) => i == reverse.IndexOf("reverse") ? (g >= 600 ? 1f : 0f) : reverse.Values[i];
        var backwards = reverse.Run("left", 4 * Length);

        // At frame 9600 the tape stands at its beginning and turns.
        for (var i = 1; i < Length - Bridge; i++) Assert.Equal(backwards[(2 * Length) - i], backwards[(2 * Length) + i]);

        using var slow = Ready(noise, [(0, 0), (Length, 0)]);
        slow.Parameter = (i, g) => i == slow.IndexOf("speed") ? (g >= 600 ? 0f : 1f) : slow.Values[i];
        var halved = slow.Run("left", 4 * Length);
        for (var i = Bridge; i < Length; i++) Assert.Equal(halved[Length + i], halved[(2 * Length) + (2 * i)]);
    }

    [Fact]
    public void What_is_no_number_does_not_go_round()
    {
        using var rig = Ready([], [(0, 0), (4800, 0)]);
        rig.Input = static (port, _, frame) => port == 0 && frame is > 1000 and < 1100 ? float.NaN : 0f;
        Assert.All(rig.Run("left", 20_000)[4800..], static v => Assert.Equal(0f, v));
    }

    // Hears the loop alone.
    private static Rig Ready(float[] sound, List<(int Frame, int Press)> presses, RigOptions? options = null)
    {
        var rig = new Rig("looper", options ?? new RigOptions { Quantum = 64 });
        rig["through"] = 0f;
        rig.Input = (port, _, frame) => port == 0 ? sound[frame % sound.Length] : 0f;
        foreach (var (frame, press) in presses)
            rig.Events.Add(new ModuleEvent { Frame = (ulong)frame, Target = 77, Kind = EventKind.Custom, Index = press, Value = 1f });
        return rig;
    }

    private static float[] Noise(int seed)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, 1 << 17).Select(_ => (2f * random.NextSingle()) - 1f)];
    }
}
