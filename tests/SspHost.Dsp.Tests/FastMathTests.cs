// The elementary functions against double-precision mathematics over their whole range.
using System.Runtime.Intrinsics;

namespace SspHost.Dsp.Tests;

public class FastMathTests
{
    [Fact]
    public void Exp2_is_within_2e_7_of_its_value()
    {
        var random = new Random(1);
        for (var i = 0; i < 200_000; i++)
        {
            var x = (float)((random.NextDouble() * 252) - 126);
            Assert.InRange((FastMath.Exp2(x) / Math.Pow(2, x)) - 1, -2e-7, 2e-7);
        }

        for (var n = -126; n <= 126; n++) Assert.Equal(MathF.ScaleB(1f, n), FastMath.Exp2(n));
    }

    [Fact]
    public void Exp2_minus_1_keeps_its_precision_near_zero()
    {
        for (var x = 1e-20; x < 100; x *= 1.01)
        {
            foreach (var s in new[] { (float)x, (float)-x })
                Assert.InRange((FastMath.Exp2Minus1(s) / ExpMinus1(s * Math.Log(2))) - 1, -3e-7, 3e-7);
        }

        Assert.Equal(0f, FastMath.Exp2Minus1(0f));
    }

    [Fact]
    public void Tanh_is_odd_bounded_rising_and_within_6e_7_of_its_value()
    {
        var before = -1f;
        for (var x = -12.0; x <= 12.0; x += 0.0007)
        {
            var y = FastMath.Tanh(Vector128.Create((float)x))[0];
            Assert.InRange(Math.Abs(y - Math.Tanh((float)x)), 0, 6e-7 * Math.Abs(Math.Tanh((float)x)));
            Assert.Equal(-y, FastMath.Tanh(Vector128.Create(-(float)x))[0]);
            Assert.InRange(y, Math.Max(-1f, before - 3e-7f), 1f);
            before = y;
        }

        Assert.InRange(FastMath.Tanh(Vector128.Create(1e-12f))[0] / 1e-12, 1 - 6e-7, 1 + 6e-7);
    }

    [Fact]
    public void Sine_is_within_3e_7()
    {
        for (var x = -50.0; x < 50.0; x += 0.00037)
        {
            var f = (float)x;
            Assert.InRange(FastMath.SinTurns(f) - Math.Sin(2 * Math.PI * f), -3e-7, 3e-7);
        }
    }

    [Fact]
    public void Tangent_is_within_3e_7_up_to_0_8()
    {
        for (var x = 1e-6; x <= 0.8; x += 1e-5) Assert.InRange((FastMath.Tan(Vector128.Create((float)x))[0] / Math.Tan((float)x)) - 1,
            -3e-7, 3e-7);
    }

    [Fact]
    public void Tangent_of_pi_x_is_within_3e_6_up_to_0_46()
    {
        for (var x = 1e-6; x <= 0.46; x += 1e-5)
            Assert.InRange((FastMath.TanPi(Vector128.Create((float)x))[0] / Math.Tan(Math.PI * (float)x)) - 1, -3e-6, 3e-6);
    }

    [Fact]
    public void Log2_is_within_3e_7_and_exact_at_powers_of_two()
    {
        for (var x = 1e-37; x < 1e38; x *= 1.0013)
        {
            var exact = Math.Log2((float)x);
            var allowed = 3e-7 + (1e-7 * Math.Abs(exact));
            Assert.InRange(FastMath.Log2(Vector128.Create((float)x))[2] - exact, -allowed, allowed);
        }

        for (var n = -126; n <= 127; n++) Assert.Equal(n, FastMath.Log2(Vector128.Create(MathF.ScaleB(1f, n)))[0]);
        Assert.Equal(-126f, FastMath.Log2(Vector128<float>.Zero)[0]);
    }

    [Fact]
    public void Vector_and_scalar_forms_agree_to_the_last_bit()
    {
        var random = new Random(2);
        for (var i = 0; i < 100_000; i++)
        {
            var x = (float)((random.NextDouble() - 0.5) * (i % 2 == 0 ? 4 : 200));
            Assert.Equal(FastMath.Exp2(x), FastMath.Exp2(Vector128.Create(x))[3]);
            Assert.Equal(FastMath.Exp2Minus1(x), FastMath.Exp2Minus1(Vector128.Create(x))[1]);
            Assert.Equal(FastMath.SinTurns(x), FastMath.SinTurns(Vector128.Create(x))[2]);
            Vector256<float> a = Vector256.Create(x), b = Vector256.Create(-x);
            FastMath.SinTurns(ref a, ref b);
            Assert.Equal((FastMath.SinTurns(x), FastMath.SinTurns(-x)), (a[5], b[2]));
            Assert.Equal(Pitch.ToHertz(x / 20), Pitch.ToHertz(Vector128.Create(x / 20))[0]);
        }
    }

    [Fact]
    public void Pitch_follows_the_standard_within_a_thousandth_of_a_cent()
    {
        Assert.Equal(261.6256f, Pitch.ToHertz(0f), 0.0001f);
        Assert.Equal(440f, Pitch.ToHertz(0.75f), 0.0002f);
        for (var volts = -10f; volts < 10f; volts += 0.0017f)
            Assert.InRange(1200 * Math.Log2(Pitch.ToHertz(volts) / (261.6255653 * Math.Pow(2, volts))), -0.001, 0.001);
    }

    [Fact]
    public void Bits_are_the_same_on_every_machine()
    {
        // A fingerprint of all functions over a fixed sweep: the same number must come out wherever this runs.
        uint sum = 2166136261;
        for (var i = 0; i < 4096; i++)
        {
            var x = (i - 2048) * 0.003f;
            foreach (var y in new[] { FastMath.Exp2(x), FastMath.Exp2Minus1(x), FastMath.SinTurns(x),
                FastMath.Tanh(Vector128.Create(x))[0], FastMath.Tan(Vector128.Create(Math.Abs(x) * 0.1f))[0] })
                sum = (sum ^ BitConverter.SingleToUInt32Bits(y)) * 16777619;
        }

        Assert.Equal(880496890u, sum);
    }

    private static double ExpMinus1(double x) => Math.Abs(x) > 1e-4 ? Math.Exp(x) - 1 : x + (x * x / 2) + (x * x * x / 6);
}
