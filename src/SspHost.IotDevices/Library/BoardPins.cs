// The board's own pins, as System.Device.Gpio numbers them.
using System.Device.Gpio;

namespace SspHost.IotDevices;

internal sealed class BoardPins(GpioController controller) : IPins
{
    private readonly List<(int Pin, PinChangeEventHandler Handler)> _open = [];

    public string Name => "gpio";

    public void Open(int pin, Action changed)
    {
        controller.OpenPin(pin, controller.IsPinModeSupported(pin, PinMode.InputPullUp) ? PinMode.InputPullUp : PinMode.Input);
        PinChangeEventHandler handler = (_, _) => changed();
        controller.RegisterCallbackForPinValueChangedEvent(pin, PinEventTypes.Rising | PinEventTypes.Falling, handler);
        _open.Add((pin, handler));
    }

    public bool Read(int pin) => controller.Read(pin) == PinValue.High;

    public void Dispose()
    {
        foreach (var (pin, handler) in _open) controller.UnregisterCallbackForPinValueChangedEvent(pin, handler);
        controller.Dispose();
    }
}
