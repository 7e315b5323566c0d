// A page over a page: writing a name with four encoders, or with a keyboard.
using System.Text;
using SspHost.Panel.Drawing;
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>Writes one line; gives it back on K1 or Enter, nothing where the player goes back.</summary>
internal sealed class TextPage : Page
{
    private const string Letters = "abcdefghijklmnopqrstuvwxyz0123456789 -_.'()&+#,!?ABCDEFGHIJKLMNOPQRSTUVWXYZäöüÄÖÜßéèêàçñåøæ";
    private const int Capitals = 51; // index of 'A'

    private readonly string _title;
    private readonly int _most;
    private readonly Func<string, string?> _wrong;
    private readonly Action<string> _done;
    private readonly StringBuilder _text;
    private int _caret;
    private int _letter;

    /// <param name="wrong">What is wrong with a text, or null: said, and the player writes on.</param>
    public TextPage(FrontPanel panel, string title, string text, int most, Func<string, string?> wrong, Action<string> done)
        : base(panel)
    {
        (_title, _most, _wrong, _done) = (title, most, wrong, done);
        _text = new StringBuilder(text);
        _caret = text.Length;
        View.Add(new Field(this) { Bounds = Body.Inset(24) });
    }

    public override string Id => "text";

    public override string Title => _title;

    public override string Help =>
        """
        Turn E1 to find a letter and push it to write it. Turn E2 to go to another place of the text.

        - K1 takes the text as it is.
        - K2 changes between small letters and capitals, K3 writes a space.
        - K4 deletes the letter before the caret; held down, all of them.
        - K6, or Shift R alone, goes back and changes nothing.

        A keyboard writes here, too: in the browser just type; Enter takes the text, Escape goes back.
        """;

    public override bool TakesText => true;

    public override SoftKey Key(int index, bool shift) => index switch
    {
        0 => new SoftKey("Take it"),
        1 => new SoftKey(_letter >= Capitals ? "abc" : "ABC"),
        2 => new SoftKey("Space"),
        3 => new SoftKey("Delete", Long: "all"),
        5 => new SoftKey("Back"),
        _ => default,
    };

    public override void Press(int index, bool shift, bool held)
    {
        switch (index)
        {
            case 0:
                Take();
                break;
            case 1:
                _letter = _letter >= Capitals ? 0 : Capitals;
                break;
            case 2:
                Insert(' ');
                break;
            case 3 when held:
                _text.Clear();
                _caret = 0;
                break;
            case 3:
                Delete();
                break;
            case 5:
                Panel.Back();
                break;
        }
    }

    public override void Turn(int encoder, in Gesture turn)
    {
        if (encoder == 0) _letter = (((_letter + turn.Steps) % Letters.Length) + Letters.Length) % Letters.Length;
        else if (encoder == 1) _caret = Math.Clamp(_caret + turn.Steps, 0, _text.Length);
    }

    public override void Push(int encoder, bool held)
    {
        if (encoder == 0) Insert(Letters[_letter]);
    }

    public override void Arrow(Control arrow, bool shift) => _caret = arrow switch
    {
        Control.Left => Math.Max(0, _caret - 1),
        Control.Right => Math.Min(_text.Length, _caret + 1),
        Control.Up => 0,
        _ => _text.Length,
    };

    public override void Type(int codePoint)
    {
        switch (codePoint)
        {
            case 8:
                Delete();
                break;
            case 13:
                Take();
                break;
            case 27:
                Panel.Back();
                break;
            case > 31 and <= char.MaxValue when !char.IsSurrogate((char)codePoint) && !char.IsControl((char)codePoint):
                Insert((char)codePoint);
                break;
        }
    }

    private void Insert(char c)
    {
        if (_text.Length < _most) _text.Insert(_caret++, c);
    }

    private void Delete()
    {
        if (_caret > 0) _text.Remove(--_caret, 1);
    }

    private void Take()
    {
        var text = _text.ToString().Trim();
        if (_wrong(text) is { } wrong)
        {
            Panel.Say(wrong, bad: true);
            return;
        }

        Panel.Back();
        _done(text);
    }

    private sealed class Field(TextPage page) : Widget
    {
        protected override void Look(ref Looks looks)
        {
            foreach (var chunk in page._text.GetChunks()) looks.Add(chunk.Span);
            looks.Add(page._caret);
            looks.Add(page._letter);
        }

        public override void Draw(Canvas canvas)
        {
            var theme = canvas.Theme;
            var box = new Rect(Bounds.X, Bounds.Y + 40, Bounds.Width, 72);
            canvas.FillRound(box, 10, theme.Card);
            Span<char> room = stackalloc char[256];
            var length = Math.Min(page._text.Length, room.Length);
            page._text.CopyTo(0, room, length);
            canvas.Text(room[..length], new Rect(box.X + 20, box.Y, box.Width - 40, box.Height), Font.Huge, theme.Text);
            var x = box.X + 20 + canvas.Measure(room[..Math.Min(page._caret, length)], Font.Huge);
            canvas.Line(x, box.Y + 10, x, box.Bottom - 10, theme.Focus, 3);

            // The letters around the one that a push writes.
            var middle = Bounds.X + (Bounds.Width / 2.0);
            var row = new Rect(0, box.Bottom + 60, 0, 56);
            for (var i = -12; i <= 12; i++)
            {
                var letter = Letters[(((page._letter + i) % Letters.Length) + Letters.Length) % Letters.Length];
                var at = new Rect((int)(middle + (i * 56)) - 26, row.Y, 52, row.Height);
                if (i == 0)
                {
                    canvas.FillRound(at, 8, theme.Selected);
                    canvas.FrameRound(at, 8, theme.Focus);
                }

                room[0] = letter == ' ' ? '␣' : letter;
                canvas.Text(room[..1], at, i == 0 ? Font.Huge : Font.Large, i == 0 ? theme.Text : theme.Dim, Align.Center);
            }
        }
    }
}
