// A person looks at these: with SSP_UPDATE=1 the picture of the README is drawn anew.
using System.Reflection;

namespace SspHost.Html.Tests;

[Collection("chromium")]
public class PictureTests(Chromium browser)
{
    [Fact]
    public async Task The_picture_in_the_docs_can_be_drawn_anew()
    {
        await using var page = await browser.NewPageAsync(1180, 990);
        await page.OpenAsync(browser.Reports.BadDay);
        var picture = await page.PictureAsync(whole: false);
        Assert.True(picture.Length > 20_000, "an empty page");
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") is null or "") return;
        var root = typeof(PictureTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == "SspRoot").Value!;
        await File.WriteAllBytesAsync(Path.Combine(root, "docs", "load-report.png"), picture);
    }
}
