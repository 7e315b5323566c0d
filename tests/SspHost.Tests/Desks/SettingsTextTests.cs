// Single values set in the text of ssp.json: what a person wrote around them stays byte for byte.
using System.Text;
using System.Text.Json;
using SspHost.Configuration;

namespace SspHost.Tests.Desks;

public sealed class SettingsTextTests
{
    [Theory]
    [InlineData("{}", "rate", "96000", "{\n  \"rate\": 96000}")]
    [InlineData("{\n}\n", "rate", "96000", "{\n  \"rate\": 96000\n}\n")]
    [InlineData("{ \"rate\": 48000, /* why */ \"quantum\": 32 }", "rate", "96000", "{ \"rate\": 96000, /* why */ \"quantum\": 32 }")]
    [InlineData("{ \"cores\": [1,\n 2 ], \"rate\": 48000, }", "cores", "[]", "{ \"cores\": [], \"rate\": 48000, }")]
    [InlineData("{ \"quantum\": 32 }", "rate", "96000", "{\n  \"rate\": 96000, \"quantum\": 32 }")]
    [InlineData("{ \"web\": { \"address\": \"off\" } }", "web.address", "\"127.0.0.1\"", "{ \"web\": { \"address\": \"127.0.0.1\" } }")]
    [InlineData("{ \"web\": { } }", "web.address", "\"off\"", "{ \"web\": {\n  \"address\": \"off\" } }")]
    [InlineData("{ \"web\": { \"token\": \"t\" } }", "web.address", "\"off\"", "{ \"web\": {\n  \"address\": \"off\", \"token\": \"t\" } }")]
    [InlineData("{}", "web.address", "\"off\"", "{\n  \"web\": { \"address\": \"off\" }}")]
    [InlineData("{ // \"rate\": 1\n \"r\\u0061te\": 48000 }", "rate", "96000", "{ // \"rate\": 1\n \"r\\u0061te\": 96000 }")]
    [InlineData("{ \"device\": \"alsa:ö{}\", \"rate\": 48000 }", "rate", "1", "{ \"device\": \"alsa:ö{}\", \"rate\": 1 }")]
    public void A_value_is_replaced_or_added(string before, string key, string value, string after)
    {
        Assert.Equal(after, Encoding.UTF8.GetString(SettingsText.Set(Encoding.UTF8.GetBytes(before), key, value)));
        var marked = SettingsText.Set([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(before)], key, value);
        Assert.Equal([.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes(after)], marked);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{ \"web\": 1 }")]
    [InlineData("{ \"rate\": ")]
    public void What_is_no_configuration_is_said(string text) =>
        Assert.ThrowsAny<JsonException>(() => SettingsText.Set(Encoding.UTF8.GetBytes(text), "web.address", "1"));

    [Fact]
    public void Whatever_is_set_in_whatever_file_reads_back_and_leaves_the_rest()
    {
        var random = new Random(7);
        string[] parts = ["\"device\": \"sim\"", "\"quantum\": 64", "\"cores\": [ 0, 1 ]", "\"osc\": { \"port\": 9000 }", "\"web\": { \"token\": \"twelve-or-more\" }", "\"moduleTimes\": false"];
        for (var i = 0; i < 500; i++)
        {
            var chosen = parts.Where(_ => random.Next(2) == 0).OrderBy(_ => random.Next()).ToArray();
            var text = Encoding.UTF8.GetBytes("{" + string.Join(random.Next(2) == 0 ? ", // and\n" : ",", chosen) + (chosen.Length > 0 && random.Next(3) == 0 ? "," : "") + "}");
            var before = SettingsFile.Parse(text, "a file");
            foreach (var (key, value) in new[] { ("rate", "96000"), ("web.address", "\"off\""), ("theme", "\"light\"") }.OrderBy(_ => random.Next())) text = SettingsText.Set(text, key, value);
            var after = SettingsFile.Parse(text, "a file");
            Assert.Equal((96_000, "off", "light"), (after.Rate.Value, after.WebAddress.Value, after.Theme.Value));
            Assert.Equal(
                (before.Device, before.Quantum, before.OscPort, before.WebToken, before.ModuleTimes), (after.Device, after.Quantum, after.OscPort, after.WebToken, after.ModuleTimes));
            Assert.Equal(before.Cores.Value.ToArray(), after.Cores.Value.ToArray());
        }
    }
}
