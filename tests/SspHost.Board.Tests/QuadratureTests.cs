// The decoder of encoders: exact where every edge was seen, however it bounced; where edges were lost, wrong by no more than those.
namespace SspHost.Board.Tests;

public class QuadratureTests
{
    // Levels of (A, B) by phase, clockwise.
    private static readonly (bool A, bool B)[] Phases = [(true, true), (false, true), (false, false), (true, false)];

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public void A_detent_clockwise_is_one_and_back_is_minus_one(int steps)
    {
        var decoder = new Quadrature(steps);
        decoder.Start(a: true, b: true);
        Assert.Equal([1, 1, 1, -1, -1, -1, -1], Walk(ref decoder, 0, [3 * steps, -4 * steps]));
    }

    [Fact]
    public void A_detent_that_was_not_completed_is_none()
    {
        var decoder = new Quadrature(4);
        decoder.Start(a: true, b: true);
        Assert.Empty(Walk(ref decoder, 0, [3, -3, 2, -2, -1, 1, -3, 3]));
    }

    [Fact]
    public void An_encoder_that_rests_with_both_contacts_closed_completes_its_detents_there()
    {
        var decoder = new Quadrature(4);
        decoder.Start(a: false, b: false);
        Assert.Equal([1, -1], Walk(ref decoder, 2, [4, -4, 3, -3]));
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public void Where_no_edge_is_missed_the_count_is_exact_whatever_bounces(int steps)
    {
        for (var seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            var decoder = new Quadrature(steps);
            decoder.Start(a: true, b: true);
            var (position, detents) = (0, 0);
            for (var turn = 0; turn < 40; turn++)
            {
                var to = random.Next(-12, 13) * steps;
                while (position != to) detents += Step(ref decoder, ref position, Math.Sign(to - position), random, bounce: true, lose: 0, out _);
                Assert.Equal(position / steps, detents);
            }
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(2)]
    [InlineData(1)]
    public void Lost_edges_that_the_kernel_tells_of_cost_no_more_detents_than_their_number(int steps)
    {
        var worst = 0;
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var decoder = new Quadrature(steps);
            decoder.Start(a: true, b: true);
            var (position, detents, lost) = (0, 0, 0);
            for (var turn = 0; turn < 20; turn++)
            {
                var to = random.Next(-12, 13) * steps;
                while (position != to)
                {
                    detents += Step(ref decoder, ref position, Math.Sign(to - position), random, bounce: false, lose: 0.05, out var missed);
                    if (!missed) continue;
                    // Some more go before anybody looks; then the levels are read.
                    lost++;
                    for (var more = random.Next(3); more > 0 && position != to; more--, lost++) position += Math.Sign(to - position);
                    var (a, b) = Phases[position & 3];
                    detents += decoder.Resume(a, b);
                }

                var off = Math.Abs((position / steps) - detents);
                Assert.True(off <= lost, $"seed {seed}: {off} detents wrong after {lost} lost edges");
                worst = Math.Max(worst, off);
            }
        }

        Assert.True(worst > 0, "nothing was ever lost: the test does not test");
    }

    [Fact]
    public void Lost_edges_that_nobody_tells_of_cost_no_more_detents_than_their_number_either()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var decoder = new Quadrature(4);
            decoder.Start(a: true, b: true);
            var (position, detents, lost) = (0, 0, 0);
            for (var turn = 0; turn < 20; turn++)
            {
                var to = random.Next(-12, 13) * 4;
                while (position != to)
                {
                    detents += Step(ref decoder, ref position, Math.Sign(to - position), random, bounce: false, lose: 0.02, out var missed);
                    if (missed) lost++;
                }
            }

            var off = Math.Abs((position / 4) - detents);
            Assert.True(off <= lost, $"seed {seed}: {off} detents wrong after {lost} lost edges");
        }
    }

    private static List<int> Walk(ref Quadrature decoder, int phase, int[] legs)
    {
        var told = new List<int>();
        foreach (var leg in legs)
        {
            for (var i = 0; i < Math.Abs(leg); i++)
            {
                var detents = Edge(ref decoder, ref phase, Math.Sign(leg));
                if (detents != 0) told.Add(detents);
            }
        }

        return told;
    }

    private static int Step(ref Quadrature decoder, ref int position, int direction, Random random, bool bounce, double lose, out bool missed)
    {
        var detents = 0;
        for (var i = bounce ? random.Next(4) : 0; i > 0; i--) // the contact opens and closes before it stays
        {
            detents += Edge(ref decoder, ref position, direction);
            detents += Edge(ref decoder, ref position, -direction);
        }

        missed = random.NextDouble() < lose;
        if (!missed) return detents + Edge(ref decoder, ref position, direction);
        position += direction;
        return detents;
    }

    private static int Edge(ref Quadrature decoder, ref int position, int direction)
    {
        var (before, after) = (Phases[position & 3], Phases[(position + direction) & 3]);
        position += direction;
        return before.A != after.A ? decoder.Edge(lineA: true, after.A) : decoder.Edge(lineA: false, after.B);
    }
}
