// The 16-bit code of a load: every code there is, and loads of any kind.
using SspHost.Diagnostics.Html;

namespace SspHost.Html.Tests;

public class LoadCodeTests
{
    [Fact]
    public void Every_code_is_the_code_of_its_own_load_and_codes_grow_with_the_load()
    {
        var before = 0.0;
        for (var code = 1; code <= ushort.MaxValue; code++)
        {
            var load = LoadCode.Decode((ushort)code);
            Assert.True(load > before);
            Assert.Equal(code, LoadCode.Encode(load));
            before = load;
        }

        Assert.Equal(1023.875, before);
        Assert.True(double.IsNaN(LoadCode.Decode(LoadCode.Gap)));
    }

    [Fact]
    public void A_load_comes_back_within_half_a_step()
    {
        var random = new Random(3);
        for (var k = 0; k < 200_000; k++)
        {
            var load = Math.Pow(2, -17 + 26.9 * random.NextDouble());
            var error = Math.Abs(LoadCode.Decode(LoadCode.Encode(load)) - load);
            // Just above 1 the code is rounded up, which may cost a whole step.
            var steps = load is > 1 and < 1 + 1 / 4096.0 ? 1.0 : 0.5;
            Assert.True(error <= steps * Math.Max(Math.ScaleB(1, -17), load / 4096), $"{load} is off by {error}");
        }
    }

    [Fact]
    public void What_is_over_budget_stays_over_budget_and_what_is_not_does_not_become_so()
    {
        Assert.Equal(1.0, LoadCode.Decode(LoadCode.One));
        Assert.Equal(LoadCode.One, LoadCode.Encode(1));
        Assert.True(LoadCode.Encode(Math.BitIncrement(1.0)) > LoadCode.One);
        Assert.True(LoadCode.Encode(Math.BitDecrement(1.0)) <= LoadCode.One);
    }

    [Fact]
    public void What_is_no_load_has_a_code_all_the_same()
    {
        Assert.Equal(LoadCode.Gap, LoadCode.Encode(double.NaN));
        Assert.Equal(1, LoadCode.Encode(0));
        Assert.Equal(1, LoadCode.Encode(double.NegativeInfinity));
        Assert.Equal(ushort.MaxValue, LoadCode.Encode(double.PositiveInfinity));
        Assert.Equal(ushort.MaxValue, LoadCode.Encode(1e9));
    }
}
