// A page: what it shows, what its encoders and keys do.
using SspHost.Panel.Input;
using SspHost.Panel.Surface;
using SspHost.Panel.Widgets;

namespace SspHost.Panel.Pages;

/// <summary>
/// A page of the panel. It lives as long as the panel, so that it comes back as it was left. Everything is called on the panel's thread.
/// K7 (undo, with Shift L redo) and K8 (help) mean the same on every page: a page has K1 to K6, each twice.
/// </summary>
public abstract class Page(FrontPanel panel)
{
    /// <summary>Where a page draws: between the head line and the soft keys.</summary>
    public static readonly Rect Body = new(0, 40, PanelSize.Width, PanelSize.Height - 40 - 48);

    /// <summary>Soft keys that are a page's own.</summary>
    public const int Keys = 6;

    /// <summary>Stable name: where the panel is, in scripts and after a crash.</summary>
    public abstract string Id { get; }

    /// <summary>What the head line says.</summary>
    public abstract string Title { get; }

    /// <summary>The help of this page: paragraphs with an empty line between them, lines that begin with "- " are a list.</summary>
    public abstract string Help { get; }

    /// <summary>Its widgets.</summary>
    public View View { get; } = new();

    protected FrontPanel Panel { get; } = panel;

    protected IPanelHost Host => Panel.Host;

    /// <summary>
    /// What K7 takes back here in place of the patch's last change, and with Shift L does again; null: the patch's. For pages that set what is no part of
    /// a patch.
    /// </summary>
    internal virtual JackHistory? History => null;

    /// <summary>Whether characters of a keyboard are text here, not keys.</summary>
    public virtual bool TakesText => false;

    /// <summary>Comes into view.</summary>
    public virtual void Enter()
    {
    }

    /// <summary>Goes out of view.</summary>
    public virtual void Leave()
    {
    }

    /// <summary>Once a frame, before the widgets are asked how they look: takes what is new. Allocates nothing where nothing changed.</summary>
    public virtual void Update(ulong now)
    {
    }

    /// <summary>Soft key 0 to 5, with Shift L or without.</summary>
    public virtual SoftKey Key(int index, bool shift) => default;

    /// <summary>A soft key of the page was pressed, or held; not one without label or one that is off.</summary>
    public virtual void Press(int index, bool shift, bool held)
    {
    }

    /// <summary>Encoder 0 to 3 was turned.</summary>
    public virtual void Turn(int encoder, in Gesture turn)
    {
    }

    /// <summary>Encoder 0 to 3 was pushed, or held.</summary>
    public virtual void Push(int encoder, bool held)
    {
    }

    /// <summary>An arrow.</summary>
    public virtual void Arrow(Control arrow, bool shift)
    {
    }

    /// <summary>A character, where <see cref="TakesText"/>.</summary>
    public virtual void Type(int codePoint)
    {
    }

    /// <summary>Back (Shift R alone): true where the page had something of its own to leave.</summary>
    public virtual bool Back() => false;
}
