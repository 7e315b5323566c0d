// Everything can be read: contrast in both themes, no type under 16 pixels, nothing cut at usual lengths.
using SspHost.Panel.Drawing;
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Panel.Tests;

public sealed class LegibilityTests
{
    public static TheoryData<string, string> PagesAndThemes()
    {
        var data = new TheoryData<string, string>();
        foreach (var page in BusyHost.Pages)
            foreach (var theme in Theme.All) data.Add(page, theme.Name);
        return data;
    }

    [Theory]
    [MemberData(nameof(PagesAndThemes))]
    public void Every_text_has_a_contrast_of_at_least_4_5_to_the_ground_that_it_is_drawn_on(string page, string theme)
    {
        using var host = BusyHost.Make(10);
        host.Set.Kept = host.Set.Kept with { Theme = theme };
        using var panel = new FrontPanel(host);
        Assert.Equal(theme, panel.Canvas.Theme.Name);
        panel.Go(page);
        BusyHost.Move(host, 1);
        _ = panel.Draw();
        var weak = new List<string>();
        var texts = 0;
        panel.Canvas.Probe = (text, box, color, _) =>
        {
            texts++;
            var ground = Ground(panel, box);
            var contrast = Color.Contrast(color, ground);
            if (contrast < 4.5) weak.Add(FormattableString.Invariant($"'{text.ToString()}' #{color.Argb & 0xFFFFFF:x6} on #{ground.Argb & 0xFFFFFF:x6}: {contrast:0.00}"));
        };
        panel.DrawAll();
        _ = panel.Draw();
        Assert.InRange(texts, 10, 10_000);
        Assert.Empty(weak);
    }

    [Fact]
    public void No_text_of_a_page_is_cut_at_usual_lengths()
    {
        using var host = BusyHost.Make(10);
        using var panel = new FrontPanel(host);
        var cut = new List<string>();
        foreach (var page in BusyHost.Pages)
        {
            panel.Go(page);
            BusyHost.Move(host, 1);
            panel.Canvas.Probe = (text, _, _, isCut) =>
            {
                if (isCut) cut.Add($"{page}: {text}");
            };
            panel.DrawAll();
            _ = panel.Draw();
        }

        Assert.Empty(cut);
    }

    [Fact]
    public void No_type_is_smaller_than_16_pixels()
    {
        using var canvas = new Canvas(64, 64);
        foreach (var font in Enum.GetValues<Font>()) Assert.InRange(canvas.LineHeight(font), 16, 100);
        Assert.All(Typeface.Pixels, size => Assert.InRange(size, 16, 100));
    }

    // The colour that most of a box has before the text is drawn: what the eye takes for its ground.
    private static Color Ground(FrontPanel panel, Rect box)
    {
        box = box.And(panel.Canvas.Bounds);
        var frame = panel.Frame;
        var counts = new Dictionary<uint, int>();
        for (var y = box.Y; y < box.Bottom; y += 2)
        {
            foreach (var pixel in frame.Row(y)[box.X..box.Right]) counts[pixel & 0xFFFFFF] = counts.GetValueOrDefault(pixel & 0xFFFFFF) + 1;
        }

        return counts.Count == 0 ? panel.Canvas.Theme.Background : Color.Of(counts.MaxBy(c => c.Value).Key);
    }
}
