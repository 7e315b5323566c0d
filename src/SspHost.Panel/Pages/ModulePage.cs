// One module: its knobs four at a time, its settings and files, a picture of what it does.
using SspHost.Abi;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;
using SspHost.Patching;

namespace SspHost.Panel.Pages;

internal sealed class ModulePage : Page
{
    private const int DialWidth = 232, DialHeight = 208;

    private readonly Dial[] _dials = new Dial[Controls.Encoders];
    private readonly BankTabs _tabs;
    private readonly ModulePicture _picture;
    private readonly List<Bank> _banks = [];
    private readonly Random _random;
    private Patch? _shown;
    private string? _module;
    private int _bank;
    private int _learning = -1;
    private ulong _heard;

    /// <summary>What four encoders are at a time.</summary>
    internal sealed record Bank(string Name, BankKind Kind, int First, int Count);

    internal enum BankKind
    {
        Knobs,
        Settings,
        Files,
    }

    public ModulePage(FrontPanel panel)
        : base(panel)
    {
        _random = new Random();
        for (var i = 0; i < _dials.Length; i++)
            _dials[i] = View.Add(new Dial { Encoder = i, Bounds = new Rect(12 + (i * (DialWidth + 8)), Body.Y + 44, DialWidth, DialHeight) });
        _tabs = View.Add(new BankTabs(panel) { Bounds = new Rect(12, Body.Y + 4, (4 * DialWidth) + 24, 36) });
        _picture = View.Add(new ModulePicture(panel) { Bounds = new Rect(992, Body.Y + 8, 596, Body.Height - 16) });
        View.Add(new ModuleLine(this) { Bounds = new Rect(12, Body.Y + 260, (4 * DialWidth) + 24, Body.Height - 268) });
    }

    public override string Id => "module";

    public override string Title => Module is { } m ? m.Label.Length > 0 ? m.Label : m.Id : "Module";

    public override string Help =>
        "The knobs of one module, four at a time, and a picture of what it does.\n\n"
        + "- E1 to E4 turn; with Shift L in fine steps. A push sets the knob to its default.\n"
        + "- Left and right go to the next four knobs, then to settings and files; up and down to the next module.\n"
        + "- K1 sets the knobs in view at random; held down, all of them.\n"
        + "- K2 opens the presets; K3 keeps this one as a preset.\n"
        + "- K4 learns: turn the knob that is meant, then move a controller of a MIDI keyboard. With Shift L it forgets.\n"
        + "- K5 lets a cable move a knob: turn the knob, then choose from where. With Shift L it pulls the cable out.\n"
        + "- K6 goes back. With Shift L: K1 sets all to their defaults, K2 bypasses, K3 opens the module's own help.\n\n"
        + "The bright tick on an arc is what plays at this moment, with everything that moves it.";

    /// <summary>The module in hand; null: none.</summary>
    internal Module? Module => Panel.Selection.Module is { } id ? Host.Session.Current.Find(id) : null;

    /// <summary>Cables on it.</summary>
    internal int Cables
    {
        get
        {
            var count = 0;
            foreach (var c in Host.Session.Current.Cables)
            {
                if (c.From.Module == Panel.Selection.Module || c.To.Module == Panel.Selection.Module) count++;
            }

            return count;
        }
    }

    /// <summary>Share of a core it takes; NaN: not known.</summary>
    internal float Load => Module is { } m ? Host.Live.ModuleLoad(m.Id) : float.NaN;

    /// <summary>Why it is switched off; null: it is on.</summary>
    internal string? Shed => Module is { } m ? Host.Live.Shed(m.Id) : null;

    internal ModuleType? ModuleType => Module is { } m ? Host.Modules.Find(m.Type) : null;

    private ModuleDescriptor? Descriptor => ModuleType?.Descriptor;

    private Bank? Current => _banks.Count > 0 ? _banks[_bank] : null;

    public override void Enter()
    {
        _shown = null;
        _learning = -1;
        if (Module is null && Host.Session.Current.Modules.Length > 0) Panel.Selection.Module = Host.Session.Current.Modules[0].Id;
    }

    public override void Leave()
    {
        _learning = -1;
        Host.Live.Watch(ILive.Taps - 1, null);
    }

    public override void Update(ulong now)
    {
        Follow();
        Learn();
        ShowDials();
        _picture.Update(Module, Descriptor, now);
    }

    // Before anything is turned, too: several events may come between two frames, and the first of them may choose another module.
    private void Follow()
    {
        var patch = Host.Session.Current;
        if (!ReferenceEquals(patch, _shown) || _module != Panel.Selection.Module)
        {
            if (_module != Panel.Selection.Module || _shown is null) _bank = 0;
            (_shown, _module) = (patch, Panel.Selection.Module);
            Rebuild();
        }
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Module is null ? "there is no module" : null;
        return (index, shift) switch
        {
            (0, false) => new SoftKey("Random", Off: none, Long: "all knobs"),
            (1, false) => new SoftKey("Presets", Off: none),
            (2, false) => new SoftKey("Keep", Off: none),
            (3, false) => new SoftKey("Learn", _learning >= 0 || _waiting, none),
            (4, false) => new SoftKey("Assign CV", _assigning, none),
            (5, _) => new SoftKey("Back"),
            (0, true) => new SoftKey("Defaults", Off: none),
            (1, true) => new SoftKey("Bypass", Module?.Bypass == true, none),
            (2, true) => new SoftKey("About it", Off: none),
            (3, true) => new SoftKey("Forget", Off: none),
            (4, true) => new SoftKey("Unassign", Off: none),
            _ => default,
        };
    }

    private bool _waiting; // for the knob that is to learn
    private bool _assigning; // for the knob that is to be moved by a cable
    private int _lastKnob; // index of the parameter that was touched last

    public override void Press(int index, bool shift, bool held)
    {
        var id = Module?.Id ?? "";
        switch (index, shift)
        {
            case (0, false):
                Randomise(held);
                break;
            case (1, false):
                ChoosePreset(id);
                break;
            case (2, false):
                Panel.Over(new TextPage(Panel, "Name of the preset", "", 60, static t => t.Length == 0 ? "a preset needs a name" : null, name =>
                {
                    if (Host.SavePreset(id, name) is { } why) Panel.Say(why, bad: true);
                    else Panel.Say($"kept as {name}");
                }));
                break;
            case (3, false):
                (_waiting, _assigning, _learning) = (!_waiting && _learning < 0, false, -1);
                if (_waiting) Panel.Say("turn the knob that is meant");
                break;
            case (4, false):
                (_assigning, _waiting, _learning) = (!_assigning, false, -1);
                if (_assigning) Panel.Say("turn the knob that a cable is to move");
                break;
            case (5, _):
                Panel.Back();
                break;
            case (0, true):
                if (Module is { } m) Panel.Apply([.. Descriptor!.Parameters.Where(p => m.Parameters.Contains(p.Id)).Select(p => (Edit)new SetParameter(id, p.Id, p.Default))]);
                break;
            case (1, true):
                Panel.Apply(new Bypass(id, Module?.Bypass != true));
                break;
            case (2, true):
                Panel.Over(new ModuleHelpPage(Panel, Descriptor!));
                break;
            case (3, true):
                Forget(id);
                break;
            case (4, true):
                Unassign(id);
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        Follow();
        if (Module is not { } m || Current is not { } bank || encoder >= bank.Count) return;
        var i = bank.First + encoder;
        switch (bank.Kind)
        {
            case BankKind.Knobs:
                _lastKnob = i;
                if (_waiting || _assigning) Meant(m, i);
                else TurnKnob(m, Descriptor!.Parameters[i], in turn);
                break;
            case BankKind.Settings:
                var s = Descriptor!.Settings[i];
                var next = Math.Clamp(ValueOf(m, s) + turn.Steps, s.Min, s.Max);
                if (next != ValueOf(m, s)) Panel.ApplyTurn($"{m.Id} {s.Id}", new SetSetting(m.Id, s.Id, next));
                break;
        }
    }

    public override void Push(int encoder, bool held)
    {
        Follow();
        if (Module is not { } m || Current is not { } bank || encoder >= bank.Count) return;
        var i = bank.First + encoder;
        switch (bank.Kind)
        {
            case BankKind.Knobs when m.Parameters.Contains(Descriptor!.Parameters[i].Id):
                Panel.Apply(new SetParameter(m.Id, Descriptor.Parameters[i].Id, Descriptor.Parameters[i].Default));
                break;
            case BankKind.Settings when m.Settings.Contains(Descriptor!.Settings[i].Id):
                Panel.Apply(new SetSetting(m.Id, Descriptor.Settings[i].Id, Descriptor.Settings[i].Default));
                break;
            case BankKind.Files:
                ChooseFile(m.Id, Descriptor!.Assets[i]);
                break;
        }
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Left or Control.Right)
        {
            _bank = Math.Clamp(_bank + (arrow == Control.Left ? -1 : 1), 0, Math.Max(0, _banks.Count - 1));
            return;
        }

        var patch = Host.Session.Current;
        if (patch.Modules.Length == 0) return;
        var at = Math.Max(0, patch.IndexOf(Panel.Selection.Module ?? ""));
        Panel.Selection.Module = patch.Modules[Math.Clamp(at + (arrow == Control.Up ? -1 : 1), 0, patch.Modules.Length - 1)].Id;
    }

    public override bool Back()
    {
        if (!_waiting && !_assigning && _learning < 0) return false;
        (_waiting, _assigning, _learning) = (false, false, -1);
        return true;
    }

    /// <summary>A parameter as the patch has it.</summary>
    internal static float ValueOf(Module m, ParameterDescriptor p) => m.Parameters.TryGet(p.Id, out var v) ? v : p.Default;

    internal static int ValueOf(Module m, SettingDescriptor s) => m.Settings.TryGet(s.Id, out var v) ? v : s.Default;

    private void TurnKnob(Module m, ParameterDescriptor p, in Gesture turn)
    {
        var before = ValueOf(m, p);
        var after = ParameterTravel.Turned(p, before, turn.Amount, turn.Steps, turn.Shift);
        if (after != before) Panel.ApplyTurn($"{m.Id} {p.Id}", new SetParameter(m.Id, p.Id, after));
    }

    private void ChooseFile(string module, AssetDescriptor slot)
    {
        var files = Host.Samples();
        var lines = new List<ListLine> { new("(empty)") };
        lines.AddRange(files.Select(f => new ListLine(f)));
        Panel.Over(new ChoosePage(Panel, slot.Name, lines, i => Panel.Apply(new SetAsset(module, slot.Id, i == 0 ? null : files[i - 1]))));
    }

    private void Randomise(bool all)
    {
        if (Module is not { } m || Descriptor is not { } d) return;
        Follow();
        var (first, count) = all || Current is not { Kind: BankKind.Knobs } bank ? (0, d.Parameters.Count) : (bank.First, bank.Count);
        var edits = new Edit[count];
        for (var i = 0; i < count; i++)
        {
            var p = d.Parameters[first + i];
            edits[i] = new SetParameter(m.Id, p.Id, ParameterTravel.At(p, _random.NextDouble()));
        }

        if (count > 0) Panel.Apply(edits);
    }

    private void ChoosePreset(string id)
    {
        var names = Host.Presets(Module!.Type);
        Panel.Over(new ChoosePage(Panel, $"Presets of {Descriptor?.Name}", [.. names.Select(n => new ListLine(n))], i =>
        {
            if (Host.Preset(id, names[i], out var why) is { } edits) _ = edits.Count == 0 || Panel.Apply([.. edits]);
            else Panel.Say(why, bad: true);
        }));
    }

    // The knob that K4 or K5 asked for was turned.
    private void Meant(Module m, int parameter)
    {
        if (_assigning)
        {
            _assigning = false;
            ChooseSource(m, Descriptor!.Parameters[parameter]);
            return;
        }

        (_waiting, _learning, _heard) = (false, parameter, Host.LastController.Serial);
        Panel.Say("move a controller of the MIDI keyboard");
    }

    private void Learn()
    {
        if (_learning < 0 || Module is not { } m || Descriptor is not { } d) return;
        if (_learning >= d.Parameters.Count)
        {
            _learning = -1;
            return;
        }

        var move = Host.LastController;
        if (move.Serial == _heard || move.Serial == 0) return;
        var p = d.Parameters[_learning];
        _learning = -1;
        var map = new ControllerMap { Port = move.Port, Channel = move.Channel, Number = move.Number, Fine = move.Fine, Module = m.Id, Parameter = p.Id, From = p.Min, To = p.Max };
        if (Panel.Apply(new MapController(map))) Panel.Say($"controller {move.Number} moves {p.Name}");
    }

    private void Forget(string id)
    {
        var knob = Knob();
        var edits = Host.Session.Current.Controllers.Where(c => c.Module == id && c.Parameter == knob?.Id).Select(c => (Edit)new UnmapController(c)).ToArray();
        if (edits.Length == 0) Panel.Say($"no controller moves {knob?.Name}", bad: true);
        else if (Panel.Apply(edits)) Panel.Say($"{knob!.Name} is moved by hand only");
    }

    private void Unassign(string id)
    {
        var knob = Knob();
        var edits = Host.Session.Current.Cables.Where(c => c.To.Module == id && c.To.IsParameter && c.To.Port[1..] == knob?.Id)
            .Select(c => (Edit)new Disconnect(c.From, c.To)).ToArray();
        if (edits.Length == 0) Panel.Say($"no cable moves {knob?.Name}", bad: true);
        else Panel.Apply(edits);
    }

    private ParameterDescriptor? Knob() => Descriptor is { Parameters: { Count: > 0 } list } ? list[Math.Min(_lastKnob, list.Count - 1)] : null;

    private void ChooseSource(Module m, ParameterDescriptor p)
    {
        var patch = Host.Session.Current;
        var lines = new List<ListLine>();
        var ports = new List<PortRef>();
        foreach (var source in patch.Modules)
        {
            if (source.Id == m.Id || Host.Modules.Find(source.Type)?.Descriptor is not { } type) continue;
            foreach (var o in type.Outputs.Where(o => o.Kind == PortKind.Cable))
            {
                lines.Add(new ListLine($"{(source.Label.Length > 0 ? source.Label : source.Id)}: {o.Name}", type.Name, Panel.Canvas.Theme.Of(type.Family)));
                ports.Add(new PortRef(source.Id, o.Id));
            }
        }

        Panel.Over(new ChoosePage(Panel, $"What moves {p.Name}?", lines, i =>
        {
            // Half of the travel up and down for a modulator of 5 V: heard at once, and not more than the knob can do.
            if (Panel.Apply(new Connect(ports[i], new PortRef(m.Id, PortRef.ParameterMark + p.Id)))) Panel.Say($"{lines[i].Text} moves {p.Name}");
        }));
    }

    private void Rebuild()
    {
        _banks.Clear();
        if (Descriptor is { } d)
        {
            Split("Knobs", BankKind.Knobs, d.Parameters.Count);
            Split("Settings", BankKind.Settings, d.Settings.Count);
            Split("Files", BankKind.Files, d.Assets.Count);
        }

        _bank = Math.Clamp(_bank, 0, Math.Max(0, _banks.Count - 1));
        _tabs.Banks = _banks;
    }

    private void Split(string name, BankKind kind, int count)
    {
        for (var first = 0; first < count; first += Controls.Encoders)
            _banks.Add(new Bank(count > Controls.Encoders ? $"{name} {(first / Controls.Encoders) + 1}" : name, kind, first, Math.Min(Controls.Encoders, count - first)));
    }

    private readonly Dictionary<SettingDescriptor, ParameterDescriptor> _settingDials = [];

    private void ShowDials()
    {
        _tabs.Chosen = _bank;
        for (var i = 0; i < _dials.Length; i++)
        {
            var dial = _dials[i];
            dial.Parameter = null;
            dial.Learning = false;
            dial.MovedBy = null;
            dial.Live = float.NaN;
            if (Module is not { } m || Descriptor is not { } d || Current is not { } bank || i >= bank.Count || bank.First + i >= Size(d, bank.Kind)) continue;
            dial.Accent = Panel.Canvas.Theme.Of(d.Family);
            var at = bank.First + i;
            switch (bank.Kind)
            {
                case BankKind.Knobs:
                    dial.Parameter = d.Parameters[at];
                    dial.Value = ValueOf(m, d.Parameters[at]);
                    var live = Host.Live.Parameters(m.Id);
                    if (at < live.Length) dial.Live = live[at];
                    dial.Learning = _learning == at;
                    dial.MovedBy = MovedBy(m.Id, d.Parameters[at].Id);
                    break;
                case BankKind.Settings:
                    dial.Parameter = DialOf(d.Settings[at]);
                    dial.Value = ValueOf(m, d.Settings[at]);
                    break;
                case BankKind.Files:
                    dial.Parameter = FileDial(d.Assets[at]);
                    dial.Value = 0;
                    dial.MovedBy = m.Assets.TryGet(d.Assets[at].Id, out var path) ? path : "push to choose a file";
                    break;
            }
        }
    }

    private static int Size(ModuleDescriptor d, BankKind kind) => kind switch { BankKind.Knobs => d.Parameters.Count, BankKind.Settings => d.Settings.Count, _ => d.Assets.Count };

    // What else moves a knob, in words; kept until the patch is another one, for this is asked every frame.
    private string? MovedBy(string module, string parameter)
    {
        if (!ReferenceEquals(_movedOf, _shown))
        {
            _movedOf = _shown;
            _moved.Clear();
            foreach (var c in _shown!.Controllers) _moved[(c.Module, c.Parameter)] = $"controller {c.Number}";
            foreach (var c in _shown.Cables)
            {
                if (c.To.IsParameter) _moved[(c.To.Module, c.To.Port[1..])] = c.From.ToString();
            }
        }

        return _moved.GetValueOrDefault((module, parameter));
    }

    private readonly Dictionary<(string Module, string Parameter), string> _moved = [];
    private Patch? _movedOf;

    private ParameterDescriptor DialOf(SettingDescriptor s)
    {
        if (!_settingDials.TryGetValue(s, out var p)) _settingDials.Add(s, p = new ParameterDescriptor(s.Id, s.Name, "", s.Min, s.Max, s.Default, ParameterCurve.Stepped, s.Text, s.Choices));
        return p;
    }

    private readonly Dictionary<AssetDescriptor, ParameterDescriptor> _fileDials = [];

    private ParameterDescriptor FileDial(AssetDescriptor a)
    {
        if (!_fileDials.TryGetValue(a, out var p)) _fileDials.Add(a, p = new ParameterDescriptor(a.Id, a.Name, "", 0, 1, 0, ParameterCurve.Stepped, a.Text, "file", "file"));
        return p;
    }
}
