// ssp run: plays a patch until it is told to stop, and keeps its engine alive.
using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Abi.Link;
using SspHost.Board;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Diagnostics;
using SspHost.Patching;
using SspHost.Playing;
using SspHost.Playing.Desks;
using SspHost.Remote;
using SspHost.Remote.Osc;
using SspHost.Remote.Web;
using SspHost.Supervision;
using SspHost.Updates;
using SspHost.Wav;

namespace SspHost.Commands;

internal static class RunCommand
{
    private const int TickMs = 50; // meters: a drum hit is seen
    private const int ReportMs = 1000;
    private const int HistogramsMs = 60_000;
    private const int FeedsPerWatchdog = 4; // one that came late is none that is missing

    public static Command Build()
    {
        var patch = Flags.NoFlag(new Argument<string?>("patch") { Description = "Patch file; without one, the last patch or the first demo.", Arity = ArgumentArity.ZeroOrOne });
        var flags = new Flags();
        var web = Flags.Checked(
            new Option<string>("--web") { Description = $"Where the panel is served to browsers ({WebOptions.Usual} where nothing is said), or off.", HelpName = "ADDRESS" }, Settings.CheckWeb);
        var token = Flags.Checked(new Option<string>("--web-token") { Description = "What browsers need from beyond this machine.", HelpName = "TOKEN" }, WebOptions.CheckToken);
        var midi = Flags.Checked(
            new Option<string>("--midi") { Description = "Where MIDI comes from: auto, off, or a list of seq, raw, raw:CARD and paths.", HelpName = "DEVICES" }, MidiDevices.Check);
        var command = new Command("run", "Play a patch. Ctrl-C fades out and stops.") { patch, web, token, midi };
        flags.AddTo(command);
        Settings Read(ParseResult r)
        {
            var s = flags.Read(r);
            s = s with { MidiDevices = s.MidiDevices.Or(r.GetValue(midi) ?? "", Flags.Given(r, midi)) };
            return s with { WebAddress = s.WebAddress.Or(r.GetValue(web) ?? "", Flags.Given(r, web)), WebToken = s.WebToken.Or(r.GetValue(token) ?? "", Flags.Given(r, token)) };
        }

        command.SetAction(r => Run(r.GetValue(patch), Read(r), r.GetValue(flags.Config)));
        return command;
    }

    private static int Run(string? patch, Settings settings, string? configuration)
    {
        // A patch that is no patch is said before anything is started.
        if (patch != null && PatchJson.TryLoad(patch).Error is { } bad) throw new CommandException(bad.ToString());
        if (settings.Web?.Refusal is { } open) throw new CommandException("--web: " + open);
        if (AudioSetup.CheckCores(settings.Cores.Value, AudioSetup.AllowedCores()) is { } cores) throw new CommandException("--cores: " + cores);
        var screen = new Screen();
        var setup = AudioSetup.Decide(settings, FifoProbe.Granted(), SoundCards.Present, Environment.ProcessorCount).Calibrated(CalibrationFile.Load(CalibrationFile.PathBeside(configuration)));
        setup = WithRecordings(setup, settings);
        var runtime = RuntimeDirectory.Locate();
        RuntimeDirectory.Ensure(runtime);
        var state = settings.StateDirectory;
        MakeStateDirectory(state);

        using var stop = new ManualResetEventSlim();
        void Leave(PosixSignalContext context)
        {
            context.Cancel = true; // the fade comes first
            stop.Set();
        }

        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);
        using var hangUp = PosixSignalRegistration.Create(PosixSignal.SIGHUP, Leave);

        var log = new LogLines();
        void Say(string line)
        {
            screen.Say(line);
            log.Add(line);
        }

        using var host = new PatchHost(new HostOptions
        {
            Runtime = runtime,
            Setup = setup,
            RegionMib = settings.RegionMib.Value,
            Journal = Path.Combine(state, "journal"),
            Costs = Path.Combine(state, ModuleCosts.FileName),
            ModuleTimes = settings.ModuleTimes.Value,
            Traces = Path.Combine(state, "traces"),
            Recordings = Path.Combine(state, "recordings"),
            Say = Say,
            MakePump = setup.Card == CardKind.PacedStream ? link => MakePump(link, setup) : null,
            Lv2 = settings.Lv2,
            Libraries = (settings.LibraryDirectories, Path.Combine(state, "libraries")),
            WatchLibraries = settings.ModuleWatch.Value,
        });
        using var metrics = MetricsRecorder.Start(() => host.EnginePid, state);
        using var glitches = GlitchRecorder.Start(host.Incidents, metrics, () => host.Latest, state, Say);
        var attached = host.Start();
        foreach (var remark in setup.Remarks) Say(remark);
        using var codec = CodecWatch.Start(settings.Board.Value.Codec, () => host.Sink.Setup, attached && host.Slot.Use(link => link.State) == EngineState.Playing, Say);
        ControlServer? server = null;
        PanelDesks? desks = null;
        PanelService? panel = null;
        OscServer? osc = null;
        MidiService? midi = null;
        using var manager = ServiceManager.Find(Environment.GetEnvironmentVariable);
        var played = false;
        try
        {
            if (Begin(host, patch, attached, settings, Say) is { } why) throw new CommandException(why);
            played = true;
            server = ControlServer.Start(Path.Combine(runtime, Protocol.SocketName), new ControlTarget
            {
                Session = host.Session,
                Modules = host.Modules,
                Engine = host.Slot,
                Status = () => host.Latest,
                Costs = () => host.Costs,
                Incidents = host.Incidents,
                Log = log,
                Metrics = metrics,
                Open = host.Open,
                Start = host.Play,
                Stop = host.Stop,
                Restore = host.Sink.Restore,
                Reload = host.Reload,
                Flight = host.Flight,
                SwitchTracing = host.Sink.SwitchTracing,
                Tracing = host.Tracing,
                WriteLoads = host.WriteLoads,
                Record = host.Recorder.Start,
                StopRecording = () => (host.Recorder.Stop(out var why), why),
                Quit = stop.Set,
                Version = CommandTree.Version,
            });
            desks = new PanelDesks(host, settings, configuration, metrics, Say);
            midi = host.Midi = StartMidi(host, settings, Say);
            panel = StartPanel(host, server, settings, log, state, desks, Say);
            osc = StartOsc(host, settings, Say);
            manager?.Ready(Title(host.Session.Current));
            Loop(host, screen, setup, new HistogramLog(Path.Combine(state, "histograms.log"), Say), codec, manager, stop, Say);
        }
        finally
        {
            manager?.Stopping();
            osc?.Dispose();
            midi?.Dispose();
            panel?.Dispose();
            desks?.Dispose();
            server?.Dispose();
            _ = host.Take(); // the last figures, before the engine is gone
            // An engine that played before this command came, and that the command could not use, plays on.
            if (played || !attached) host.End();
        }

        screen.Close();
        screen.Say(Farewell(host.Latest));
        return 0;
    }

    // Where nobody asked for it, a port that is taken is no reason not to play, nor to leave the board's own screen dark.
    private static PanelService? StartPanel(PatchHost host, ControlServer server, Settings settings, LogLines log, string state, PanelDesks desks, Action<string> say)
    {
        var board = BoardParts.Find(settings.Board.Value);
        var here = board.Screens.Count > 0; // keys alone are no panel
        if (settings.Board.Origin == Origin.File || here)
        {
            foreach (var note in board.Notes) say("board: " + note);
        }

        var bodies = new PanelBodies(board, settings.Web, server, PatchFiles.Presets(), desks);
        try
        {
            if (bodies.Web is { } web)
            {
                try
                {
                    var panel = PanelService.Start(host, bodies, log, state, say);
                    say($"panel: {NetworkAddresses.ToType(panel.Address!)}{(web.Token.Length > 0 ? "/?token=..." : "")}");
                    return panel;
                }
                catch (IOException e) when (settings.WebAddress.Origin == Origin.Flag)
                {
                    throw new CommandException("--web: " + e.Message);
                }
                catch (IOException e)
                {
                    say($"no panel in browsers: {e.Message}");
                }
            }

            if (here) return PanelService.Start(host, bodies with { Web = null }, log, state, say);
        }
        catch
        {
            foreach (var c in board.Controls) c.Dispose();
            foreach (var s in board.Screens) s.Dispose();
            throw;
        }

        foreach (var c in board.Controls) c.Dispose();
        return null;
    }

    private static MidiService StartMidi(PatchHost host, Settings settings, Action<string> say)
    {
        var programs = MidiPrograms.Parse(settings.MidiPrograms.Value) ?? ProgramUse.Off;
        return MidiService.Start(host, new MidiOptions(settings.MidiDevices.Value, programs, settings.MidiChannel.Value, () => PatchFiles.All(settings.Patches.Value)), say);
    }

    private static OscServer? StartOsc(PatchHost host, Settings settings, Action<string> say)
    {
        if (settings.OscPort.Value == 0) return null;
        try
        {
            var osc = OscServer.Start(System.Net.IPAddress.Parse(settings.OscAddress.Value), settings.OscPort.Value, host.Session, host.Modules);
            say($"OSC: {osc.EndPoint}");
            return osc;
        }
        catch (IOException e)
        {
            say($"no OSC: {e.Message}");
            return null;
        }
    }

    private static void MakeStateDirectory(string path)
    {
        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"{path}: the journal's directory cannot be made; name another in XDG_STATE_HOME or as \"state\" in ssp.json");
        }
    }

    private static string? Begin(PatchHost host, string? patch, bool attached, Settings settings, Action<string> say)
    {
        if (host.Session.Recovery is { } recovery) say(recovery);
        var playing = attached && host.Slot.Use(link => link.State) == EngineState.Playing;
        var tried = TrialMark.Stands(settings.StateDirectory);
        if (tried && playing) say("the host ended while settings were tried, which nobody has kept: back to what it was");
        if (playing && (tried || host.Sink.MakePump != null))
        {
            host.Slot.Use(link => link.StopAudio(host.Sink.FadeFrames)); // the recordings of the process before are gone with it
            playing = false;
        }

        if (patch != null || !host.Session.Recovered)
        {
            var file = patch ?? PatchFiles.FirstDemo(settings.Patches.Value);
            if (file == null) say("no patch: nothing was played before and there are no demo patches; load one through the control socket");
            else if (host.Open(file) is { } refused) return refused;
            else say($"patch: {Title(host.Session.Current)} ({file})");
        }
        else if (host.Session.Reinstall(newEngine: !attached || tried) is { } error)
        {
            return error.ToString();
        }
        else
        {
            say($"patch: {Title(host.Session.Current)} (as it was left)");
        }

        if (host.Play() is { } why) return why;
        TrialMark.Clear(settings.StateDirectory);
        host.Slot.Use(link =>
        {
            if (!link.TryAudio(out var a) || a.Rate == 0) return;
            say(playing
                ? string.Create(CultureInfo.InvariantCulture, $"attached to engine {host.EnginePid}, which plays on at {a.Rate} Hz, quantum {a.Quantum} (ssp stop first to change that)")
                : string.Create(CultureInfo.InvariantCulture, $"engine {host.EnginePid}: {host.Sink.Setup.Describe(host.Sink.Setup.QuantumFor(host.Session.Current.Quantum))}"));
        });
        return null;
    }

    private static void Loop(PatchHost host, Screen screen, AudioSetup setup, HistogramLog histograms, CodecWatch? codec, ServiceManager? manager, ManualResetEventSlim stop, Action<string> say)
    {
        var clock = Stopwatch.StartNew();
        var progress = new AudioProgress();
        var updates = new UpdateStation();
        var trial = updates.Trial ? new SlotTrial() : null;
        if (updates.Slot != null && updates.Result() is { } result) say("update: " + result);
        var feedEach = (long?)manager?.Watchdog?.TotalMilliseconds / FeedsPerWatchdog;
        long nextFeed = 0;
        var nextReport = (long)ReportMs;
        long nextHistograms = 0;
        var audited = false;
        var generation = -1;
        string? trouble = null;
        while (!stop.Wait(TickMs))
        {
            host.Look();
            if (host.Session.Pump() is { } stuck) say(stuck);
            foreach (var line in host.TakeNotices()) say(line);
            if (clock.ElapsedMilliseconds >= nextFeed && feedEach is { } each && progress.Look(host.Slot, host.Wanted))
            {
                nextFeed = clock.ElapsedMilliseconds + each;
                manager!.Feed();
            }

            if (clock.ElapsedMilliseconds < nextReport) continue;
            nextReport += ReportMs;
            codec?.Look(clock.Elapsed);
            var report = host.Take();
            screen.Status(StatusLine.Format(report, screen.Columns));
            manager?.Status(string.Create(CultureInfo.InvariantCulture, $"{report.State}: {Title(host.Session.Current)}"));
            if (trial?.Second(report.State == "playing", report.EnginePid, report.Audio?.Quanta ?? 0, report.Audio?.Dropouts ?? 0) == true)
                say(updates.Leave("confirm") ?? "update: this version plays: it is confirmed");
            if (clock.ElapsedMilliseconds >= nextHistograms)
            {
                nextHistograms = clock.ElapsedMilliseconds + HistogramsMs;
                _ = host.Slot.Try(link =>
                {
                    if (generation != host.Slot.Generation) histograms.Forget();
                    generation = host.Slot.Generation;
                    return histograms.Write(HistogramLog.Of(link.Map), Linux.Now());
                }, otherwise: 0);
            }

            if (!audited && report.State == "playing")
            {
                audited = true;
                if (Loose(host) is { } loose) say(loose);
            }

            if (host.Session.Trouble != trouble && (trouble = host.Session.Trouble) != null) say(trouble);
            // A recording that is over ends the command; a lost card does not: it may come back, and the patch is safe meanwhile.
            if (setup.Card == CardKind.PacedStream && (report.State == "deviceLost" || host.Sink.Pump is { Failure: not null })) return;
        }
    }

    // Asked of the kernel once it plays, not of whoever locked it: what RT threads touch must not leave memory.
    private static unsafe string? Loose(PatchHost host) => host.Slot.Try(
        link =>
        {
            try
            {
                var header = link.Map.Header;
                var report = LockAudit.Of(header->EnginePid, header->StacksOffset, header->StackStride * header->StackCount);
                return report.Holds
                    ? null
                    : string.Create(
                        CultureInfo.InvariantCulture,
                        $"memory is not locked ({(report.Loose + report.Gone) >> 20} MiB may leave it while it plays): run as root, or allow LimitMEMLOCK=infinity; 'ssp doctor' says more");
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                return null; // it ended at this moment
            }
        },
        otherwise: null);

    private static AudioSetup WithRecordings(AudioSetup setup, Settings settings)
    {
        if (setup.Card != CardKind.PacedStream) return setup;
        setup = setup with { Inputs = 2, Outputs = 2 };
        if (setup.WavOutput.Length > 0) WavFormat.CheckOutput(setup.WavOutput, setup.WavInput);
        if (setup.WavInput.Length == 0) return setup;
        using var reader = WavReader.Open(setup.WavInput);
        return setup with { Inputs = WavPump.JacksFor(reader.Channels), Rate = RateFor(reader, setup.WavInput, settings) };
    }

    /// <summary>The rate to play a recording at: its own. Asking for another is an error, because nothing here converts rates.</summary>
    public static int RateFor(WavReader reader, string file, Settings settings)
    {
        if (settings.Rate.Origin == Origin.Flag && settings.Rate.Value != reader.Rate)
            throw new CommandException($"--rate {settings.Rate.Value}: {file} is at {reader.Rate} Hz, and rates are not converted");
        return Settings.CheckNumber("rate", reader.Rate) is { } expected ? throw new CommandException($"{file}: {reader.Rate} Hz, expected {expected}") : reader.Rate;
    }

    private static WavPump MakePump(EngineLink link, AudioSetup setup)
    {
        var reader = setup.WavInput.Length > 0 ? WavReader.Open(setup.WavInput) : null;
        WavWriter? writer = null;
        try
        {
            if (setup.WavOutput.Length > 0) writer = WavWriter.Create(setup.WavOutput, setup.Rate, setup.Outputs, WavEncoding.Pcm24);
        }
        catch
        {
            reader?.Dispose();
            throw;
        }

        return WavPump.Create(link, reader, writer, reader != null ? setup.Inputs : 0, setup.Outputs, silence: 0);
    }

    private static string Title(Patch patch) => patch.Name.Length > 0 ? patch.Name : patch.Id;

    private static string Farewell(StatusReport report) => report.Audio is { } a
        ? string.Create(CultureInfo.InvariantCulture, $"stopped after {a.Frames / (double)a.Rate:0.0} s: {a.Late} late, {a.Dropouts} dropouts")
        : "stopped";
}
