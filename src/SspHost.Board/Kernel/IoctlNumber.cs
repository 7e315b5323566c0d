// How the kernel numbers its ioctls: direction, size of the argument, letter of the driver, number.
namespace SspHost.Board;

internal static class IoctlNumber
{
    public static uint None(char driver, uint number) => Make(0, driver, number, 0);

    public static uint Write(char driver, uint number, int size) => Make(1, driver, number, size);

    public static uint Read(char driver, uint number, int size) => Make(2, driver, number, size);

    public static uint ReadWrite(char driver, uint number, int size) => Make(3, driver, number, size);

    private static uint Make(uint direction, char driver, uint number, int size) => (direction << 30) | ((uint)size << 16) | ((uint)driver << 8) | number;
}
