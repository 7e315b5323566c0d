// What the CV recorder claims: loops of exactly their length, gestures as they were, overdubs, loops that keep to a clock.
namespace SspHost.Modules.Tests;

public class CvRecorderTests
{
    private const int Loop = 48_000;

    [Fact]
    [Trait("Category", "Quality")]
    public void A_gesture_comes_round_as_it_was_every_loop()
    {
        using var rig = Free();
        static double Gesture(long n) => (3.0 * Math.Sin(2 * Math.PI * 3 * n / Loop)) + (2.0 * Math.Cos(2 * Math.PI * 17 * n / Loop));
        rig.Input = static (port, _, frame) => port == 0 ? (float)Gesture(frame) : port == 1 && frame < Loop + 100 ? 10f : 0f;
        var output = rig.Run(4 * Loop);
        var worst = 0.0;
        for (var n = Loop + 200; n < 4 * Loop; n++) worst = Math.Max(worst, Math.Abs(Gesture(n) - output[0][0][n]));
        Quality.AtMost("cv-recorder", "gesture off by", worst * 1e3, 0.5, "mV");
        Assert.Equal([0, Loop, 2 * Loop, 3 * Loop], EdgeList.Rises(output[1][0]));
        for (var n = 0; n < 4 * Loop; n += 97) Assert.Equal(10.0 * (n % Loop) / Loop, output[2][0][n], 1e-4);
    }

    [Fact]
    public void A_long_loop_is_as_long_as_it_says()
    {
        using var rig = new Rig("cv-recorder", new RigOptions { Quantum = 256, Rate = 44_100, Cables = [0, 0, 0, 0] });
        rig["length"] = 17f;
        Assert.Equal([0, 17 * 44_100], EdgeList.Rises(rig.Run("start", (17 * 44_100) + 1000)));
    }

    [Fact]
    public void Adding_puts_the_input_on_top_and_replacing_writes_only_where_it_records()
    {
        using var rig = Free();
        rig["mode"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 ? 1.5f : port == 1 && frame < 2 * Loop ? 10f : 0f;
        var output = rig.Run("out", 3 * Loop);
        for (var n = 2 * Loop; n < 3 * Loop; n++) Assert.Equal(3f, output[n], 0.01);

        rig["mode"] = 0f;
        rig.Input = static (port, _, frame) => port == 0 ? -2f : port == 1 && frame % Loop is >= 12_000 and < 24_000 && frame < 4 * Loop ? 10f : 0f;
        rig.Run(Loop);
        output = rig.Run("out", Loop);
        for (var n = 100; n < Loop - 100; n++)
        {
            if (Math.Abs(n - 12_000) < 30 || Math.Abs(n - 24_000) < 30) continue;
            Assert.Equal(n is > 12_000 and < 24_000 ? -2f : 3f, output[n], 1e-4);
        }
    }

    [Fact]
    public void With_a_clock_the_loop_lasts_its_ticks_and_follows_the_tempo()
    {
        using var rig = new Rig("cv-recorder", new RigOptions { Cables = [1, 1, 1, 0] });
        rig["ticks"] = 4f;

        // Ticks every 3000 frames for twelve of them, then every 4000.
        static long Tick(int k) => k <= 12 ? k * 3000L : 36_000 + ((k - 12) * 4000L);
        var clock = EdgeList.Clock(Enumerable.Range(0, 30).Select(Tick));
        static double Position(long frame) => frame < 36_000 ? frame % 12_000 / 12_000.0 : (frame - 36_000) % 16_000 / 16_000.0;
        rig.Input = (port, _, frame) => port switch
        {
            0 => (float)Math.Sin(2 * Math.PI * Position(frame)),
            1 => frame is >= 12_000 and < 24_100 ? 10f : 0f,
            _ => clock(frame),
        };
        var output = rig.Run("out", 90_000);
        for (var n = 24_200; n < 36_000; n++) Assert.Equal(Math.Sin(2 * Math.PI * Position(n)), output[n], 2e-3);

        // The new tempo is known after its first period, and caught up with after another.
        for (var n = 52_000; n < 90_000; n++) Assert.Equal(Math.Sin(2 * Math.PI * Position(n)), output[n], 2e-3);
    }

    [Fact]
    public void What_it_holds_is_kept_with_the_patch_to_a_third_of_a_millivolt()
    {
        using var rig = Free();
        rig.Input = static (port, _, frame) => port == 0 ? 5f * (float)Math.Sin(2 * Math.PI * frame / Loop) : port == 1 && frame < Loop + 100 ? 10f : 0f;
        rig.Run(Loop * 2);
        using var other = Free();
        Assert.True(other.LoadState(1, rig.SaveState()));
        var (a, b) = (rig.Run("out", Loop), other.Run("out", Loop));
        for (var n = 0; n < Loop; n++) Assert.Equal(a[n], b[n], 4e-4);
    }

    [Fact]
    public void Twelve_volts_are_kept_and_more_is_twelve()
    {
        using var rig = Free();
        rig["mode"] = 1f;
        rig.Input = static (port, _, frame) => port == 0 ? 7f : port == 1 && frame < 2 * Loop ? 10f : 0f;
        var output = rig.Run("out", 3 * Loop);
        for (var n = (2 * Loop) + 100; n < 3 * Loop; n++) Assert.Equal(12f, output[n], 1e-4);
    }

    private static Rig Free() => new("cv-recorder", new RigOptions { Cables = [1, 1, 0, 0] }) { ["length"] = 1f };
}
