// Damage: every pixel that was reported is drawn again, none twice, and never more than sixteen rectangles.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Tests;

public sealed class DamageTests
{
    [Fact]
    public void Whatever_is_added_is_covered_by_at_most_sixteen_rectangles_that_do_not_overlap()
    {
        var random = new Random(1);
        var bounds = new Rect(0, 0, 1600, 480);
        var damage = new Damage(bounds);
        for (var round = 0; round < 500; round++)
        {
            damage.Clear();
            var added = new List<Rect>();
            for (var i = random.Next(60); i >= 0; i--)
            {
                var r = new Rect(random.Next(-50, 1600), random.Next(-50, 480), random.Next(0, 200), random.Next(0, 100));
                added.Add(r);
                damage.Add(r);
            }

            var rects = damage.Rects.ToArray();
            Assert.InRange(rects.Length, 0, 16);
            for (var i = 0; i < rects.Length; i++)
            {
                Assert.Equal(rects[i], rects[i].And(bounds));
                for (var j = 0; j < i; j++) Assert.False(rects[i].Overlaps(rects[j]));
            }

            // A rectangle is covered where the parts of it that the disjoint rectangles cover add up to all of it.
            foreach (var r in added.Select(a => a.And(bounds)))
                Assert.Equal(r.Area, rects.Sum(c => c.And(r).Area));
        }
    }
}
