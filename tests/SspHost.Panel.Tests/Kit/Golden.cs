// Pictures that are held: a page's PNG against the one in the repository, with a small tolerance for the edges of type.
using System.Reflection;
using SspHost.Panel.Surface;

namespace SspHost.Panel.Tests.Kit;

/// <summary>SSP_UPDATE=1 writes the pictures anew. What differs is left beside the test's results as NAME.is.png.</summary>
internal static class Golden
{
    /// <summary>The root of the repository.</summary>
    public static string Root { get; } =
        typeof(Golden).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SspRoot").Value!;

    /// <summary>Holds a page's picture; <paramref name="folder"/> is one of the repository.</summary>
    public static void Holds(FrontPanel panel, string name, string folder = "tests/SspHost.Panel.Tests/Golden")
    {
        panel.DrawAll();
        _ = panel.Draw();
        var file = Path.Combine(Root, folder, name + ".png");
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            panel.Canvas.WritePng(file);
            return;
        }

        Assert.True(File.Exists(file), $"{file} is missing: SSP_UPDATE=1 writes it");
        var different = Different(panel.Frame, file);
        if (different <= Picture.Share * PanelSize.Width * PanelSize.Height) return;
        var seen = Path.Combine(AppContext.BaseDirectory, name + ".is.png");
        panel.Canvas.WritePng(seen);
        Assert.Fail($"{different} pixels differ from {file}; what was drawn is {seen}");
    }

    /// <summary>Pixels of a frame that differ from a file's by more than the tolerance.</summary>
    public static int Different(in Frame frame, string file)
    {
        var picture = Picture.Load(file);
        Assert.Equal((frame.Width, frame.Height), (picture.Width, picture.Height));
        var different = 0;
        for (var y = 0; y < frame.Height; y++) different += Picture.Different(frame.Row(y), picture.Row(y));
        return different;
    }
}
