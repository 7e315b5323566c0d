// Where the panel's controls come from: one of the two interfaces a body of the panel implements.
namespace SspHost.Panel.Surface;

/// <summary>Takes events from any thread; never blocks, never throws.</summary>
public interface IControlSink
{
    /// <summary>An event. Of each source, in the order in which they happened.</summary>
    void Put(in ControlEvent e);

    /// <summary>A source is gone: whatever it held down is released.</summary>
    void Gone(byte source);
}

/// <summary>A set of controls: an evdev device, lines of a GPIO chip, a browser, a script of a test.</summary>
public interface IControls : IDisposable
{
    /// <summary>One line for the System page and the log: "evdev /dev/input/event3 (gpio-keys)".</summary>
    string Name { get; }

    /// <summary>Puts events into <paramref name="sink"/>, from a thread of its own, until it is disposed.</summary>
    void Start(IControlSink sink);
}
