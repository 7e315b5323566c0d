// What the steady voltage and the voltmeter claim: exact volts out, the true mean and deviation in.
namespace SspHost.Modules.Tests;

public class VoltageTests
{
    [Fact]
    public void A_voltage_is_what_its_knob_says()
    {
        using var rig = new Rig("voltage") { ["volts"] = -3.25f };
        foreach (var v in rig.Run("out", 960)) Assert.Equal(-3.25f, v);
    }

    [Fact]
    public void A_voltmeter_holds_the_mean_of_the_window_before()
    {
        using var rig = new Rig("voltmeter") { ["window"] = 0.02f };
        // A sine of whole cycles in the window has the mean of its offset: 480 Hz at 48 kHz, 960 frames.
        rig.Input = static (_, _, frame) => 9.75f + (0.5f * (float)Math.Sin(2 * Math.PI * frame / 100.0));
        var output = rig.Run("mean", 2880);
        for (var i = 0; i < 960; i++) Assert.Equal(0f, output[i]);
        for (var i = 1920; i < 2880; i++) Assert.Equal(9.75, output[i], 0.02); // the window ends at a grid point
    }

    [Fact]
    public void A_voltmeter_tells_a_millivolt_of_noise_on_ten_volts()
    {
        using var rig = new Rig("voltmeter") { ["window"] = 0.02f };
        static float At(long frame) => 9.75f + (0.001f * (float)Math.Sin(2 * Math.PI * frame / 96.0));
        rig.Input = static (_, _, frame) => At(frame);
        rig.Run(1920);

        // The second window, in full precision: 960 frames of what the voltmeter was given.
        var given = Enumerable.Range(960, 960).Select(static i => (double)At(i)).ToArray();
        var mean = given.Average();
        var deviation = Math.Sqrt(given.Average(v => (v - mean) * (v - mean)));
        Assert.Equal(mean, rig.Telemetry(0), 1e-6);
        Assert.Equal(deviation, rig.Telemetry(1), deviation * 1e-4);
        Assert.Equal(2f, rig.Telemetry(2));
    }
}
