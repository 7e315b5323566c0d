// The board's screens and controls: the kernel's devices, and those that the IoT packages drive where this build has them.
using SspHost.Board;

namespace SspHost.Playing;

internal static class BoardParts
{
    public static BoardDevices Find(BoardSettings settings)
    {
        var found = BoardDevices.Find(settings);
        if (settings.Iot is not { } iot) return found;
#if IOT_DEVICES
        return IotDevices.IotBoard.AddTo(found, iot);
#else
        _ = iot;
        return found with { Notes = [.. found.Notes, "iot: this build is without the IoT devices; one made with -p:IotDevices=true has them"] };
#endif
    }
}
