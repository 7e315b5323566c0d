// System.Device.Gpio 4.2.0: pins.
namespace System.Device.Gpio;

public delegate void PinChangeEventHandler(object sender, PinValueChangedEventArgs pinValueChangedEventArgs);

public enum PinMode
{
    Input,
    Output,
    InputPullDown,
    InputPullUp,
}

[Flags]
public enum PinEventTypes
{
    None = 0,
    Rising = 1,
    Falling = 2,
}

public readonly struct PinValue : IEquatable<PinValue>
{
    public static PinValue High => throw new NotSupportedException();

    public static bool operator ==(PinValue a, PinValue b) => throw new NotSupportedException();

    public static bool operator !=(PinValue a, PinValue b) => throw new NotSupportedException();

    public bool Equals(PinValue other) => throw new NotSupportedException();

    public override bool Equals(object? obj) => throw new NotSupportedException();

    public override int GetHashCode() => throw new NotSupportedException();
}

public class PinValueChangedEventArgs : EventArgs;

public class GpioPin;

public class GpioController : IDisposable
{
    public GpioController() => throw new NotSupportedException("The IoT packages are not in this build.");

    public GpioPin OpenPin(int pinNumber, PinMode mode) => throw new NotSupportedException();

    public virtual bool IsPinModeSupported(int pinNumber, PinMode mode) => throw new NotSupportedException();

    public virtual PinValue Read(int pinNumber) => throw new NotSupportedException();

    public virtual void RegisterCallbackForPinValueChangedEvent(int pinNumber, PinEventTypes eventTypes, PinChangeEventHandler callback) => throw new NotSupportedException();

    public virtual void UnregisterCallbackForPinValueChangedEvent(int pinNumber, PinChangeEventHandler callback) => throw new NotSupportedException();

    public void Dispose() => throw new NotSupportedException();
}

public abstract class GpioDriver : IDisposable
{
    public void Dispose() => throw new NotSupportedException();
}
