// Files: patches, presets, recordings, sticks; opened, saved, named, copied, deleted, and brought back.
using SspHost.Panel.Drawing;
using SspHost.Panel.Files;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

internal sealed class FilesPage : Page
{
    private const ulong LookEach = 2_000_000_000; // ns: a stick that is put in is seen within two seconds
    private const string PatchEnding = ".json", RecordingEnding = ".wav";

    private static readonly string[] PatchEndings = [PatchEnding];
    private static readonly string[] RecordingEndings = [RecordingEnding];
    private static readonly string[] StickEndings = [PatchEnding, RecordingEnding];

    private readonly ListBox _placeList;
    private readonly ListBox _list;
    private readonly Facts _facts;
    private readonly Trash? _trash;
    private readonly Func<IReadOnlyList<Stick>> _readSticks; // made once: they are asked for every other second
    private readonly Action<IReadOnlyList<Stick>> _tookSticks;
    private List<Place> _places = [];
    private IReadOnlyList<FileEntry> _entries = [];
    private string _folder = "";
    private ulong _looked;
    private int _asked; // of the listing that is on its way: an answer to an older question is not shown
    private bool _working;

    private sealed record Place(string Name, string Root, string[] Endings, string? Stick = null, bool ReadOnly = false);

    public FilesPage(FrontPanel panel)
        : base(panel)
    {
        _placeList = View.Add(new ListBox { Bounds = new Rect(12, Body.Y + 8, 280, Body.Height - 16), Empty = "no files here" });
        _list = View.Add(new ListBox { Bounds = new Rect(304, Body.Y + 8, 760, Body.Height - 16), Empty = "nothing here yet" });
        _facts = View.Add(new Facts(this) { Bounds = new Rect(1076, Body.Y + 8, PanelSize.Width - 1088, Body.Height - 16) });
        _readSticks = () => Desk is { } from ? Sticks.Read(from.MountTable) : [];
        _tookSticks = Took;
        if (Host.Files is { } desk) _trash = new Trash(desk.Trash);
    }

    public override string Id => "files";

    public override string Title => "Files";

    public override string Help =>
        """
        Patches, presets of modules, recordings, and what is on USB sticks.

        - E1, or left and right, chooses the place; E2, or up and down, a file. A push of E2, or K1, opens it: a patch plays when it is ready, and the one before rings out; a preset goes to the module that was chosen on the Patch page. A folder is gone into; K6 leaves it.
        - K2 saves the patch here under a name.
        - K3 gives a file another name. K4 deletes it; with Shift L K4 brings back what was deleted last.
        - K5 copies a file: to a stick, or from there to the device. With Shift L, beside itself.
        - With Shift L K1 records all outputs, and ends the recording.

        What is there is never written over without a question. A stick can be pulled out as soon as the panel says that it is done.
        """;

    private IFileDesk? Desk => Host.Files;

    private Place? At => _places.Count > 0 ? _places[_placeList.Chosen] : null;

    private FileEntry? Chosen => _entries.Count > 0 ? _entries[_list.Chosen] : null;

    public override void Enter()
    {
        Places();
        Look();
    }

    public override void Update(ulong now)
    {
        if (now < _looked + LookEach) return;
        _looked = now;
        if (Desk is null || _working) return;
        _working = true;
        Host.Run(_readSticks, _tookSticks);
    }

    private void Took(IReadOnlyList<Stick> sticks)
    {
        _working = false;
        if (!sticks.Select(s => (s.Root, s.ReadOnly)).SequenceEqual(_places.Where(p => p.Stick != null).Select(p => (p.Root, p.ReadOnly)))) Places(sticks);
    }

    public override SoftKey Key(int index, bool shift)
    {
        var none = Desk is null ? "there are no files here" : null;
        var file = none ?? (Chosen is null ? "there is no file" : null);
        var written = none ?? (At is { ReadOnly: true } ? "this place can only be read" : null);
        var recording = Host.Status.Recording != null;
        return (index, shift) switch
        {
            (0, false) => new SoftKey("Open", Off: file),
            (1, false) => new SoftKey("Save here", Off: written ?? (At?.Endings == RecordingEndings || IsPresets ? "patches are saved in Patches, or on a stick" : null)),
            (2, false) => new SoftKey("Rename", Off: written ?? file),
            (3, false) => new SoftKey("Delete", Off: written ?? file),
            (4, false) => new SoftKey("Copy to", Off: file ?? (Chosen!.Value.IsFolder ? "a folder is not copied" : null)),
            (0, true) => new SoftKey(recording ? "End rec" : "Record", recording, none ?? (recording || Host.Live.Playing ? null : "audio is stopped: there is nothing to record")),
            (3, true) => new SoftKey("Undelete", Off: none ?? (_trash?.Last is null ? "nothing was deleted" : null)),
            (4, true) => new SoftKey("Duplicate", Off: written ?? file ?? (Chosen!.Value.IsFolder ? "a folder is not copied" : null)),
            (5, _) => new SoftKey(Inside ? "Up" : "Back"),
            _ => default,
        };
    }

    private bool IsPresets => At is { } p && Desk is { } desk && p.Stick is null && p.Root == desk.Presets;

    private bool Inside => At is { } p && _folder != p.Root && _folder.Length > 0;

    public override void Press(int index, bool shift, bool held)
    {
        switch (index, shift)
        {
            case (0, false):
                Open();
                break;
            case (1, false):
                SaveHere();
                break;
            case (2, false):
                Rename(Chosen!.Value);
                break;
            case (3, false):
                Delete(Chosen!.Value);
                break;
            case (4, false):
                CopyTo(Chosen!.Value);
                break;
            case (0, true):
                Record();
                break;
            case (3, true):
                Undelete();
                break;
            case (4, true):
                Copy(Chosen!.Value, _folder);
                break;
            case (5, _):
                if (!Back()) Panel.Back();
                break;
        }
    }

    public override bool Back()
    {
        if (!Inside) return false;
        var left = _folder;
        _folder = Path.GetDirectoryName(_folder)!;
        Look(left);
        return true;
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0) GoTo(_placeList.Chosen + turn.Steps);
        else if (encoder == 1) _list.Chosen += turn.Steps;
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 1 && Chosen is not null) Open();
    }

    public override void Arrow(Control arrow, bool shift)
    {
        if (arrow is Control.Up or Control.Down) _list.Chosen += arrow == Control.Up ? -1 : 1;
        else GoTo(_placeList.Chosen + (arrow == Control.Left ? -1 : 1));
    }

    private void GoTo(int place)
    {
        var before = _placeList.Chosen;
        _placeList.Chosen = place;
        if (_placeList.Chosen == before) return;
        _folder = At?.Root ?? "";
        _list.Chosen = 0;
        Look();
    }

    private void Places(IReadOnlyList<Stick>? sticks = null)
    {
        if (Desk is not { } desk) return;
        var before = At?.Root;
        var places = new List<Place>
        {
            new("Patches", desk.Patches, PatchEndings),
            new("Presets", desk.Presets, PatchEndings),
            new("Recordings", desk.Recordings, RecordingEndings),
        };
        if (desk.Demos is { } demos) places.Insert(1, new Place("Demo patches", demos, PatchEndings, ReadOnly: true));
        if (sticks is null) places.AddRange(_places.Where(p => p.Stick != null));
        else places.AddRange(sticks.Select(s => new Place(s.Name, s.Root, StickEndings, s.Root, s.ReadOnly)));
        _places = places;
        var theme = Panel.Canvas.Theme;
        _placeList.Lines = [.. places.Select(p => new ListLine(p.Name, p.ReadOnly ? "read only" : p.Stick is null ? "" : "USB", p.Stick is null ? default : theme.Focus))];
        var at = places.FindIndex(p => p.Root == before);
        _placeList.Chosen = Math.Max(0, at);
        if (at >= 0 && _folder.Length > 0) return;
        // The stick that was looked at has been pulled out.
        _folder = At!.Root;
        Look();
    }

    private void Look(string? choose = null)
    {
        if (At is not { } place) return;
        var (folder, asked) = (_folder, ++_asked);
        Host.Run(() => (List: FolderList.Read(folder, place.Endings, out var why), Why: why), found =>
        {
            if (asked != _asked) return;
            _entries = found.List;
            if (found.Why != null) Panel.Say(found.Why, bad: true);
            var theme = Panel.Canvas.Theme;
            _list.Lines = [.. found.List.Select(e => new ListLine(e.Name, e.IsFolder ? "folder" : Size(e.Bytes), e.IsFolder ? theme.Utility : default))];
            if (choose is null) return;
            for (var i = 0; i < found.List.Count; i++)
            {
                if (found.List[i].Path == choose) _list.Chosen = i;
            }
        });
    }

    private void Open()
    {
        var entry = Chosen!.Value;
        if (entry.IsFolder)
        {
            _folder = entry.Path;
            _list.Chosen = 0;
            Look();
        }
        else if (entry.Path.EndsWith(RecordingEnding, StringComparison.OrdinalIgnoreCase))
        {
            Panel.Say("a recording is played by a module: its Module page chooses the file", bad: true);
        }
        else if (IsPresets)
        {
            OpenPreset(entry.Path);
        }
        else if (Host.Open(entry.Path) is { } why)
        {
            Panel.Say(why, bad: true);
        }
        else
        {
            Panel.Go("patch");
            Panel.Say($"{entry.Name} is open; K7 brings the one before back");
        }
    }

    private void OpenPreset(string path)
    {
        if (Panel.Selection.Module is not { } module || Host.Session.Current.Find(module) is null) Panel.Say("choose a module on the Patch page first", bad: true);
        else if (Desk!.Preset(module, path, out var why) is not { } edits) Panel.Say(why, bad: true);
        else if (edits.Count == 0 || Panel.Apply([.. edits])) Panel.Say($"{module}: {Path.GetFileNameWithoutExtension(path)}");
    }

    private void SaveHere() => Panel.Over(new TextPage(Panel, "Name of the patch", Host.Session.Current.Name, 80, FileNames.Check, name =>
    {
        var path = Path.Combine(_folder, name + PatchEnding);
        if (!Path.Exists(path) || path == Host.Session.Saved?.Path) Save(path);
        else Panel.Over(new AskPage(Panel, "It exists", $"There is a patch {name} here already. Is it to be replaced by the one that plays?\n\nThe one that is there goes to the trash: Shift L and K4 bring it back.", "Replace it", () =>
        {
            if (Told(_trash!.Delete(path, At?.Stick))) Save(path);
        }));
    }));

    private void Save(string path)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Panel.Say($"{path}: {e.Message}", bad: true);
            return;
        }

        if (!Told(Host.Save(path))) return;
        Panel.Say($"saved: {path}");
        Look(path);
    }

    private void Rename(FileEntry entry) => Panel.Over(new TextPage(Panel, $"New name of {entry.Name}", entry.Name, 80, FileNames.Check, name =>
    {
        var to = Path.Combine(Path.GetDirectoryName(entry.Path)!, name + (entry.IsFolder ? "" : Path.GetExtension(entry.Path)));
        if (to == entry.Path || !Told(FileWork.Move(entry.Path, to))) return;
        Panel.Say($"it is called {name} now");
        Look(to);
    }));

    private void Delete(FileEntry entry)
    {
        if (Told(_trash!.Delete(entry.Path, At?.Stick))) Panel.Say($"{entry.Name} is deleted; Shift L and K4 bring it back");
        Look();
    }

    private void Undelete()
    {
        var (path, why) = _trash!.Undo();
        if (Told(why)) Panel.Say($"{Path.GetFileNameWithoutExtension(path)} is back");
        Look(path);
    }

    private void CopyTo(FileEntry entry)
    {
        var places = _places.Where(p => !p.ReadOnly && p.Endings.Contains(Path.GetExtension(entry.Path), StringComparer.OrdinalIgnoreCase) && p != At).ToList();
        Panel.Over(new ChoosePage(Panel, $"Copy {entry.Name} to", [.. places.Select(p => new ListLine(p.Name, p.Root))], i => Copy(entry, places[i].Root)));
    }

    private void Copy(FileEntry entry, string folder)
    {
        var to = FileNames.Free(folder, Path.GetFileName(entry.Path));
        Panel.Say($"copying {entry.Name}");
        Host.Run(() => FileWork.Copy(entry.Path, to), why =>
        {
            if (Told(why)) Panel.Say($"copied: {to}");
            Look();
        });
    }

    private void Record()
    {
        if (Host.Status.Recording is { } running)
        {
            Host.Run(Desk!.EndRecording, why =>
            {
                if (Told(why)) Panel.Say($"recorded: {running.File}");
                Look();
            });
            return;
        }

        var stem = Host.Session.Current.Name is { Length: > 0 } name && FileNames.Check(name) is null ? name : "take";
        var path = FileNames.Free(Desk!.Recordings, stem + RecordingEnding);
        Host.Run(() => Desk.Record(path), why =>
        {
            if (Told(why)) Panel.Say($"recording {Path.GetFileName(path)}; Shift L and K1 end it");
        });
    }

    private bool Told(string? why)
    {
        if (why != null) Panel.Say(why, bad: true);
        return why is null;
    }

    private static string Size(long bytes) => bytes switch
    {
        >= 1 << 30 => FormattableString.Invariant($"{bytes / (double)(1 << 30):0.0} GiB"),
        >= 1 << 20 => FormattableString.Invariant($"{bytes / (double)(1 << 20):0.0} MiB"),
        < 1 << 10 => FormattableString.Invariant($"{bytes} B"),
        _ => FormattableString.Invariant($"{(bytes + 512) >> 10} KiB"),
    };

    /// <summary>Where one is, and what is chosen.</summary>
    private sealed class Facts(FilesPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            looks.Add(page._folder);
            looks.Add(page.Chosen?.Path ?? "");
            looks.Add(page.Chosen?.Changed.Ticks ?? 0);
            looks.Add(page.Chosen?.Bytes ?? 0);
            looks.Add(page.Host.Session.Saved?.Path ?? "");
            looks.Add(page.Host.Session.Saved is { Unchanged: true });
            looks.Add(page._trash?.Last ?? "");
            looks.Add(page.Host.Status.Recording?.File ?? "");
            looks.Add((int)(page.Host.Status.Recording?.Seconds ?? -1));
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            canvas.FillRound(Bounds, 10, theme.Card);
            var box = new Rect(Bounds.X + 20, Bounds.Y + 12, Bounds.Width - 40, 30);
            if (page.Chosen is { } entry)
            {
                canvas.Text(Path.GetFileName(entry.Path.AsSpan()), box, Font.Large, theme.Text);
                Span<char> room = stackalloc char[48];
                var line = new TextLine(room);
                if (entry.Changed.TryFormat(room, out var written, "yyyy-MM-dd HH:mm", System.Globalization.CultureInfo.InvariantCulture)) canvas.Text(room[..written], box with { Y = box.Y + 36 }, Font.Body, theme.Dim);
                if (!entry.IsFolder)
                {
                    line.Add(entry.Bytes);
                    line.Add(" bytes");
                    canvas.Text(line.Text, box with { Y = box.Y + 64 }, Font.Body, theme.Dim);
                }
            }
            else
            {
                canvas.Text(page.At?.Name ?? "No files", box, Font.Large, theme.Text);
            }

            Fact(canvas, box with { Y = box.Y + 116 }, "folder", page._folder);
            Fact(canvas, box with { Y = box.Y + 176 }, page.Host.Session.Saved is { Unchanged: true } ? "the patch that plays is" : "the patch that plays was opened from", page.Host.Session.Saved?.Path ?? "not in a file yet");
            if (page.Host.Status.Recording is { } recording)
            {
                Span<char> room = stackalloc char[96];
                var line = new TextLine(room);
                line.Add("recording   ");
                line.Add((long)recording.Seconds / 60);
                line.Add(':');
                if ((long)recording.Seconds % 60 < 10) line.Add('0');
                line.Add((long)recording.Seconds % 60);
                canvas.Text(line.Text, box with { Y = box.Y + 240 }, Font.Strong, theme.Bad);
                canvas.Text(recording.File, box with { Y = box.Y + 268, Height = 24 }, Font.Small, theme.Dim);
            }
            else if (page._trash?.Last is { } last)
            {
                Fact(canvas, box with { Y = box.Y + 240 }, "Shift L and K4 bring back", last);
            }
        }

        private static void Fact(Canvas canvas, Rect box, string name, string value)
        {
            canvas.Text(name, box with { Height = 24 }, Font.Small, canvas.Theme.Dim);
            // The end of a path says more than its beginning.
            var text = value.AsSpan();
            Span<char> room = stackalloc char[128];
            if (canvas.Measure(text, Font.Body) > box.Width)
            {
                var from = Math.Max(1, text.Length - (room.Length - 1));
                while (from < text.Length - 1 && canvas.Measure(text[from..], Font.Body) > box.Width - 24) from++;
                room[0] = '…';
                text[from..].CopyTo(room[1..]);
                canvas.Text(room[..(text.Length - from + 1)], box with { Y = box.Y + 24, Height = 26 }, Font.Body, canvas.Theme.Text);
                return;
            }

            canvas.Text(text, box with { Y = box.Y + 24, Height = 26 }, Font.Body, canvas.Theme.Text);
        }
    }
}
