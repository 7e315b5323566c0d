// Walk-throughs of Jacks, Scope, Files, System and Settings: what a player does there, and what becomes of it.
using SspHost.Diagnostics;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;

namespace SspHost.Panel.Tests;

public sealed class PageWalkTests : IDisposable
{
    private readonly TestHost _host = BusyHost.Make(10);
    private readonly FrontPanel _panel;

    public PageWalkTests()
    {
        _panel = new FrontPanel(_host);
        BusyHost.Move(_host, 3);
    }

    public void Dispose()
    {
        _panel.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void Shift_R_and_the_eight_keys_lead_to_the_eight_pages()
    {
        string[] pages = ["patch", "module", "scenes", "jacks", "scope", "files", "system", "settings"];
        for (var k = 0; k < pages.Length; k++) Play($"press shift-right + K{k + 1}\nexpect page {pages[k]}");
    }

    [Fact]
    public void Every_page_has_help_that_opens_and_closes_with_the_same_key()
    {
        foreach (var page in BusyHost.Pages)
        {
            _panel.Go(page);
            Play($"press K8\nexpect page help\nturn E1 right 2\npress K8\nexpect page {page}");
        }

        Play("press shift-right + K5\npress K8\ngolden help");
    }

    [Fact]
    public void A_jack_gets_a_name_a_scale_and_a_zero()
    {
        Play(
            """
            press shift-right + K4
            expect page jacks
            golden jacks
            press K1
            expect page text
            type LFO
            press K1
            turn E2 right 4
            turn E3 left 3
            """);
        var setup = _host.Jack.Setup(false, 0);
        Assert.Equal("Keys pitchLFO", setup.Name);
        Assert.Equal(10.152, setup.FullScale, 6);
        Assert.Equal(0.0012, setup.Zero, 6);
        Play("push E2\npush E3\nturn E1 right 16\nexpect key 2 Calibrate");
        Assert.Equal((10, 0.0), (_host.Jack.Setup(false, 0).FullScale, _host.Jack.Setup(false, 0).Zero));
        Play("press K3\nexpect says \"output 1\"");
        Assert.False(_host.Jack.Setup(true, 0).Calibrated);
    }

    [Fact]
    public void An_output_is_calibrated_against_a_voltmeter_and_holds_its_voltage_only_meanwhile()
    {
        // Converters that give 9.6 V at full scale and 30 mV at nothing: the meter says -4.77 V and 4.83 V.
        _host.Jack.Set(true, 1, new JackSetup("", 10, 0, false));
        Play("press shift-right + K4\nturn E1 right 17\npress K2\nexpect page calibrate\npress K1");
        Assert.Equal(-0.5, _host.Jack.Held[1]);
        Play("turn E1 right 2\nturn E2 right 3\ngolden calibrate\npress K1");
        Assert.Equal(0.5, _host.Jack.Held[1]);
        Play("press K8"); // the help is read meanwhile
        Assert.Empty(_host.Jack.Held);
        Play("press K8");
        Assert.Equal(0.5, _host.Jack.Held[1]);
        Play("turn E1 left 2\nturn E2 right 3\npress K1\nexpect key 1 Keep it\npress K1\nexpect page jacks\nexpect says \"output 2 is calibrated\"");
        Assert.Empty(_host.Jack.Held);
        var setup = _host.Jack.Setup(true, 1);
        Assert.Equal(9.6, setup.FullScale, 6);
        Assert.Equal(0.03, setup.Zero, 6);
    }

    [Fact]
    public void An_input_is_calibrated_with_two_voltages_and_one_that_does_not_move_is_refused()
    {
        _host.Jack.Read[4] = 0.1;
        Play("press shift-right + K4\nturn E1 right 4\npress K2\npress K1\npush E4\npush E4\npress K1\npress K1\nexpect key 1 Keep it\npress K1\nexpect says \"too near\"\npress K2\npress K2");
        Assert.False(_host.Jack.Setup(false, 4).Calibrated);
        Play("press K1");
        _host.Jack.Read[4] = 0.6;
        Play("turn E1 right 5\nturn E2 left 5\npress K1\npress K1");
        // 1.0 V at 0.1 and 6.45 V at 0.6: 10.9 V at full scale.
        Assert.Equal(10.9, _host.Jack.Setup(false, 4).FullScale, 6);
        Assert.Equal(-0.09, _host.Jack.Setup(false, 4).Zero, 6);
    }

    [Fact]
    public void The_scope_shows_a_signal_as_wave_spectrum_figure_and_note()
    {
        var first = new PortRef(_host.Session.Current.Modules[0].Id, "x");
        _host.Moving.Sound = BusyHost.Sound(p => p.Module == first.Module ? 261.6256 : 523.2511);
        Play("press shift-right + K5\nexpect page scope");
        Assert.NotNull(_host.Moving.Watched[0]);
        Play("turn E4 right\npress K2\nexpect page choose\npress K1\nexpect page scope\npress K5\nturn E3 right 3\nwait 100\ngolden scope");
        Assert.Equal(first.Module, _host.Moving.Watched[1]!.Value.Module);
        Play("press K1\nexpect key 1 Spectrum\nwait 100\ngolden spectrum\npress K1\nwait 100\ngolden xy\npress K1\nexpect key 1 Tuner\nwait 100\ngolden tuner");
        Play("press K4\nexpect key 4 Freeze\npress shift-left + K2");
        Assert.Null(_host.Moving.Watched[1]);
        Play("press K6");
        Assert.All(_host.Moving.Watched, Assert.Null);
    }

    [Fact]
    public void A_patch_is_saved_opened_renamed_copied_deleted_and_brought_back()
    {
        var patches = _host.Folders.Patches;
        var before = _host.Session.Current;
        Play("press shift-right + K6\nexpect page files\nturn E2 right 2\ngolden files\nturn E2 left 9\npress K2\nexpect page text\nhold K4\ntype mine\npress K1\nexpect says \"saved\"");
        Assert.True(File.Exists(Path.Combine(patches, "mine.json")));
        Play("press shift-left + K5\nexpect says \"copied\"");
        Assert.True(File.Exists(Path.Combine(patches, "mine 2.json")));
        Play("press K3\ntype x\npress K1");
        Assert.True(File.Exists(Path.Combine(patches, "minex.json")));
        Play("press K4\nexpect says \"is deleted\"");
        Assert.False(File.Exists(Path.Combine(patches, "minex.json")));
        Play("press shift-left + K4\nexpect says \"is back\"");
        Assert.True(File.Exists(Path.Combine(patches, "minex.json")));
        Play("press K1\nexpect page patch");
        Assert.Equal(before.Modules.Length, _host.Session.Current.Modules.Length);
        Assert.Equal("minex.json", Path.GetFileName(_host.Session.Saved?.Path));
    }

    [Fact]
    public void A_patch_that_is_there_is_replaced_only_after_a_question_and_a_bad_one_leaves_what_plays()
    {
        var bells = Path.Combine(_host.Folders.Patches, "Bells in the fog.json");
        var before = _host.Session.Current;
        Play("press shift-right + K6\nturn E2 right 2\npress K1\nexpect page files");
        Assert.True(_panel.Message!.Value.Bad);
        Assert.Same(before, _host.Session.Current);
        Play("press K2\nhold K4\ntype Bells in the fog\npress K1\nexpect page ask\npress K6\nexpect page files");
        Assert.Equal("{}", File.ReadAllText(bells));
        Play("press K2\nhold K4\ntype Bells in the fog\npress K1\npress K1\nexpect says \"saved\"");
        Assert.NotEqual("{}", File.ReadAllText(bells));
        Play("press shift-left + K4");
        Assert.Equal("{}", File.ReadAllText(Path.Combine(_host.Folders.Patches, "Bells in the fog 2.json")));
    }

    [Fact]
    public void A_stick_that_is_put_in_is_a_place_and_one_that_is_pulled_out_is_not()
    {
        Play("press shift-right + K6");
        var stick = Directory.CreateDirectory(Path.Combine(_host.Folders.Root, "stick")).FullName;
        // /media is where the kernel's table would have it; the table is a test's own, so that the stick is where it can be written.
        File.WriteAllText(_host.Folders.MountTable, $"30 22 8:17 / /media/none ro - vfat /dev/sdb1 ro\n");
        Play("wait 2500\nturn E1 right 3\npress K2\nexpect says \"can only be read\"");
        File.WriteAllText(_host.Folders.MountTable, "");
        Play("wait 2500\nturn E2 right\npress K5\nexpect page choose\npress K6");
        Assert.Empty(Directory.GetFiles(stick));
    }

    [Fact]
    public void All_outputs_are_recorded()
    {
        Play("press shift-right + K6\npress shift-left + K1\nexpect says \"recording forty.wav\"");
        _host.Status = _host.Status with { Recording = new RecordingReport { File = "forty.wav", Seconds = 65, Gaps = [] } };
        Play("wait 100\ngolden files-recording\npress shift-left + K1\nexpect says \"recorded\"");
        Assert.Equal(["record forty.wav", "end recording"], _host.Folders.Asked);
    }

    [Fact]
    public void The_system_page_says_what_happened_and_what_the_doctor_found()
    {
        Play("press shift-right + K7\nexpect page system\ngolden system\npush E1\nexpect page read\npress K6\npress K2\nexpect key 2 Doctor\nwait 50\ngolden system-doctor\npush E1\nexpect page read\ngolden finding\npress K6");
        Play("press K2\nexpect key 2 Threads\npress K1\npress K3\npress K4\nexpect says \"/reports/1.tar.gz\"\npress K5\nexpect key 5 End trace\npress K5\nexpect says \"/traces/1.json\"");
        Assert.Equal(["reset", "examine", "report", "trace", "end trace"], _host.Machines.Asked);
    }

    [Fact]
    public void Settings_are_tried_and_go_back_by_themselves_unless_they_are_kept()
    {
        Play("press shift-right + K8\nexpect page settings\nturn E1 right\nturn E2 right\nturn E1 right\nturn E2 right 3\ngolden settings\npress K1\nexpect key 1 Keep it\nwait 3000\ngolden settings-trial\nwait 12500\nexpect says \"not confirmed within fifteen seconds\"\nexpect key 1 Try it");
        Assert.Equal(["try"], _host.Set.Asked); // the desk goes back, not the page
        Assert.Equal(48_000, _host.Set.Kept.Rate);
        Play("turn E1 left\nturn E2 right 2\npress K1\npress K1\nexpect says \"kept\"\nwait 20000");
        Assert.Equal(96_000, _host.Set.Kept.Rate);
        Assert.Equal(["try", "try", "keep"], _host.Set.Asked);
    }

    [Fact]
    public void A_trial_goes_on_while_its_page_is_left_and_can_be_kept_on_coming_back()
    {
        Play("press shift-right + K8\nturn E2 right 2\npress K1\nexpect key 1 Keep it\npress K8\nexpect page help\npress K8\nexpect page settings\nexpect key 1 Keep it\npress shift-right + K1\nwait 4000\ngolden patch-trial\nwait 1000\npress shift-right + K8\nexpect key 1 Keep it");
        Assert.Equal((10, "sim"), (_host.Set.TrialSeconds, _host.Set.Trial!.Device));
        Play("press K1\nexpect says \"kept\"");
        Assert.Equal(["try", "keep"], _host.Set.Asked);
        Assert.Equal("sim", _host.Set.Kept.Device);
    }

    [Fact]
    public void A_trial_is_gone_back_from_at_once_and_one_that_fails_says_why_and_can_be_mended()
    {
        Play("press shift-right + K8\nturn E2 right 2\npress K1\npress K2\nexpect says \"as it was\"\nexpect key 1 Try it");
        Assert.Equal(["try", "revert"], _host.Set.Asked);
        _host.Set.Wrong = "alsa:hw:SSP: no such device";
        Play("turn E2 right 1\npress K1\nexpect says \"no such device\"\nexpect key 1 Try it");
        _host.Set.Wrong = null;
        Play("turn E2 right 1\npress K1\nexpect key 1 Keep it");
        Assert.Equal("sim", _host.Set.Trial!.Device);
    }

    [Fact]
    public void What_a_panel_that_died_left_on_trial_is_still_tried()
    {
        _host.Set.Trial = _host.Set.Kept with { Rate = 96_000 };
        Play("press shift-right + K8\nexpect key 1 Keep it\npress K1\nexpect says \"kept\"");
        Assert.Equal(96_000, _host.Set.Kept.Rate);
    }

    [Fact]
    public void The_colours_go_back_on_whichever_page_the_panel_is()
    {
        Play("press shift-right + K8\nturn E1 right 7\nturn E2 right\npress K1\npress shift-right + K1\nwait 100");
        Assert.Equal("light", _panel.Canvas.Theme.Name);
        Play("wait 16000");
        Assert.Equal("dark", _panel.Canvas.Theme.Name);
    }

    [Fact]
    public void What_was_set_on_the_jacks_is_taken_back_there_and_the_patch_is_left_alone()
    {
        var (patch, before) = (_host.Session.Current, _host.Jack.Setup(output: false, 0));
        Play("press shift-right + K4\nexpect page jacks\nturn E2 right 3\nwait 100\nturn E2 right 2\nwait 2000\nturn E3 right 4\nwait 2000");
        var full = _host.Jack.Setup(output: false, 0).FullScale;
        Assert.True(full > before.FullScale && _host.Jack.Setup(output: false, 0).Zero > before.Zero);
        Play("press K7\nexpect says \"input 1 is as it was\"");
        Assert.Equal((full, before.Zero), (_host.Jack.Setup(output: false, 0).FullScale, _host.Jack.Setup(output: false, 0).Zero));
        Play("press K7");
        Assert.Equal(before, _host.Jack.Setup(output: false, 0)); // both turns were one gesture
        Play("press K7\nexpect says \"no jack was changed here\"\npress shift-left + K7\nexpect says \"set again\"");
        Assert.Equal(full, _host.Jack.Setup(output: false, 0).FullScale);
        Play("press K3\npress K7");
        Assert.Equal(full, _host.Jack.Setup(output: false, 0).FullScale);
        Assert.Equal(patch, _host.Session.Current);
    }

    [Fact]
    public void The_light_theme_shows_every_page_in_daylight()
    {
        Play("press shift-right + K8\nturn E1 right 7\nturn E2 right\npress K1\npress K1\ngolden settings-light\npress shift-right + K1\ngolden patch-light\npress shift-right + K5\nwait 100\ngolden scope-light");
        Assert.Equal("light", _host.Set.Kept.Theme);
    }

    [Fact]
    public void A_host_without_desks_still_has_every_page()
    {
        using var bare = new BareHost(_host);
        using var panel = new FrontPanel(bare);
        foreach (var page in BusyHost.Pages)
        {
            panel.Go(page);
            _ = panel.Draw();
            for (var k = 0; k < Pages.Page.Keys; k++) _ = panel.Current.Key(k, shift: false);
        }
    }

    private void Play(string script) => Script.Play(_panel, _host, script);
}
