// The kernel's structures and ioctl numbers: ours against layout.txt, and layout.txt against the kernel's headers where there is a compiler.
using System.Diagnostics;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Board.Tests;

public class LayoutTests
{
    private static readonly (Type Ours, string Theirs)[] Inputs =
    [
        (typeof(InputEvent), "input_event"), (typeof(GpioChipInfo), "gpiochip_info"), (typeof(GpioLineAttribute), "gpio_v2_line_attribute"),
        (typeof(GpioLineConfigAttribute), "gpio_v2_line_config_attribute"), (typeof(GpioLineConfig), "gpio_v2_line_config"),
        (typeof(GpioLineRequest), "gpio_v2_line_request"), (typeof(GpioLineInfo), "gpio_v2_line_info"), (typeof(GpioLineValues), "gpio_v2_line_values"),
        (typeof(GpioLineEvent), "gpio_v2_line_event"), (typeof(FbBitfield), "fb_bitfield"), (typeof(FbVarScreeninfo), "fb_var_screeninfo"),
        (typeof(FbFixScreeninfo), "fb_fix_screeninfo"),
    ];

    private static readonly (Type Ours, string Theirs)[] Drm =
    [
        (typeof(DrmGetCap), "drm_get_cap"), (typeof(DrmModeModeinfo), "drm_mode_modeinfo"), (typeof(DrmModeCardRes), "drm_mode_card_res"),
        (typeof(DrmModeCrtc), "drm_mode_crtc"), (typeof(DrmModeGetEncoder), "drm_mode_get_encoder"),
        (typeof(DrmModeGetConnector), "drm_mode_get_connector"), (typeof(DrmModeFbCmd), "drm_mode_fb_cmd"),
        (typeof(DrmModeFbDirtyCmd), "drm_mode_fb_dirty_cmd"), (typeof(DrmModeCrtcPageFlip), "drm_mode_crtc_page_flip"),
        (typeof(DrmModeCreateDumb), "drm_mode_create_dumb"), (typeof(DrmModeMapDumb), "drm_mode_map_dumb"),
        (typeof(DrmModeDestroyDumb), "drm_mode_destroy_dumb"), (typeof(DrmEventVblank), "drm_event_vblank"),
    ];

    private static readonly (uint Ours, string Theirs)[] InputNumbers =
    [
        (EvdevAbi.GetName, $"EVIOCGNAME({EvdevAbi.NameLength})"), (EvdevAbi.GetKeyState, $"EVIOCGKEY({EvdevAbi.KeyBytes})"), (EvdevAbi.Grab, "EVIOCGRAB"),
        (EvdevAbi.SetClock, "EVIOCSCLOCKID"), (EvdevAbi.GetBits(EvdevAbi.Key, EvdevAbi.KeyBytes), $"EVIOCGBIT(EV_KEY, {EvdevAbi.KeyBytes})"),
        (EvdevAbi.GetBits(EvdevAbi.Relative, 2), "EVIOCGBIT(EV_REL, 2)"), (EvdevAbi.KeyCount, "KEY_CNT"), (EvdevAbi.AxisCount, "REL_CNT"),
        (EvdevAbi.Dial, "REL_DIAL"), (EvdevAbi.Wheel, "REL_WHEEL"), (EvdevAbi.LeftButton, "BTN_LEFT"), (EvdevAbi.Dropped, "SYN_DROPPED"),
        (GpioAbi.GetChipInfo, "GPIO_GET_CHIPINFO_IOCTL"), (GpioAbi.GetLineInfo, "GPIO_V2_GET_LINEINFO_IOCTL"), (GpioAbi.GetLine, "GPIO_V2_GET_LINE_IOCTL"),
        (GpioAbi.GetValues, "GPIO_V2_LINE_GET_VALUES_IOCTL"), ((uint)GpioAbi.ActiveLow, "GPIO_V2_LINE_FLAG_ACTIVE_LOW"),
        ((uint)GpioAbi.InputLine, "GPIO_V2_LINE_FLAG_INPUT"), ((uint)GpioAbi.EdgeRising, "GPIO_V2_LINE_FLAG_EDGE_RISING"),
        ((uint)GpioAbi.EdgeFalling, "GPIO_V2_LINE_FLAG_EDGE_FALLING"), ((uint)GpioAbi.PullUp, "GPIO_V2_LINE_FLAG_BIAS_PULL_UP"),
        (GpioAbi.AttributeDebounce, "GPIO_V2_LINE_ATTR_ID_DEBOUNCE"), (GpioAbi.Rising, "GPIO_V2_LINE_EVENT_RISING_EDGE"),
        (FrameBufferScreen.GetVariable, "FBIOGET_VSCREENINFO"), (FrameBufferScreen.GetFixed, "FBIOGET_FSCREENINFO"),
        (KeyCodeOf(Panel.Surface.Control.K1), "KEY_F1"), (KeyCodeOf(Panel.Surface.Control.K8), "KEY_F8"), (KeyCodeOf(Panel.Surface.Control.Left), "KEY_LEFT"),
        (KeyCodeOf(Panel.Surface.Control.Right), "KEY_RIGHT"), (KeyCodeOf(Panel.Surface.Control.Up), "KEY_UP"), (KeyCodeOf(Panel.Surface.Control.Down), "KEY_DOWN"),
        (KeyCodeOf(Panel.Surface.Control.ShiftLeft), "KEY_LEFTSHIFT"), (KeyCodeOf(Panel.Surface.Control.ShiftRight), "KEY_RIGHTSHIFT"),
    ];

    private static readonly (uint Ours, string Theirs)[] DrmNumbers =
    [
        (DrmAbi.GetCap, "DRM_IOCTL_GET_CAP"), (DrmAbi.SetMaster, "DRM_IOCTL_SET_MASTER"), (DrmAbi.DropMaster, "DRM_IOCTL_DROP_MASTER"),
        (DrmAbi.GetResources, "DRM_IOCTL_MODE_GETRESOURCES"), (DrmAbi.SetCrtc, "DRM_IOCTL_MODE_SETCRTC"), (DrmAbi.GetEncoder, "DRM_IOCTL_MODE_GETENCODER"),
        (DrmAbi.GetConnector, "DRM_IOCTL_MODE_GETCONNECTOR"), (DrmAbi.AddFb, "DRM_IOCTL_MODE_ADDFB"), (DrmAbi.RemoveFb, "DRM_IOCTL_MODE_RMFB"),
        (DrmAbi.PageFlip, "DRM_IOCTL_MODE_PAGE_FLIP"), (DrmAbi.DirtyFb, "DRM_IOCTL_MODE_DIRTYFB"), (DrmAbi.CreateDumb, "DRM_IOCTL_MODE_CREATE_DUMB"),
        (DrmAbi.MapDumb, "DRM_IOCTL_MODE_MAP_DUMB"), (DrmAbi.DestroyDumb, "DRM_IOCTL_MODE_DESTROY_DUMB"),
        ((uint)DrmAbi.CapabilityDumbBuffer, "DRM_CAP_DUMB_BUFFER"), (DrmAbi.FlagInterlace, "DRM_MODE_FLAG_INTERLACE"),
        (DrmAbi.TypePreferred, "DRM_MODE_TYPE_PREFERRED"), (DrmAbi.FlipEvent, "DRM_MODE_PAGE_FLIP_EVENT"), (DrmAbi.FlipComplete, "DRM_EVENT_FLIP_COMPLETE"),
    ];

    // Names of ours whose plain translation is not the header's.
    private static readonly Dictionary<string, string> Renamed = new()
    {
        ["input_event.seconds"] = "time.tv_sec", ["input_event.microseconds"] = "time.tv_usec", ["fb_fix_screeninfo.reserved0"] = "reserved[0]",
        ["fb_fix_screeninfo.reserved1"] = "reserved[1]", ["fb_var_screeninfo.rest"] = "nonstd", ["drm_get_cap.capability"] = "capability",
        ["drm_event_vblank.type"] = "base.type", ["drm_event_vblank.length"] = "base.length",
    };

    private static string LayoutFile => Path.Combine(AppContext.BaseDirectory, "layout.txt");

    [Fact]
    public void Ours_are_as_the_recorded_layout()
    {
        var recorded = File.ReadAllLines(LayoutFile).ToDictionary(l => l[..l.LastIndexOf(' ')], l => long.Parse(l[(l.LastIndexOf(' ') + 1)..], null));
        var count = 0;
        foreach (var (what, ours) in Ours(Inputs, InputNumbers).Concat(Ours(Drm, DrmNumbers)))
        {
            Assert.True(recorded.TryGetValue(what, out var theirs), $"{what} is not recorded");
            Assert.True(theirs == ours, $"{what}: {ours} here, {theirs} in the header");
            count++;
        }

        Assert.Equal(recorded.Count, count);
    }

    [Theory]
    [InlineData("input")]
    [InlineData("drm")]
    public void The_recorded_layout_is_that_of_the_kernels_headers(string part)
    {
        var drm = part == "drm";
        var (structs, numbers) = drm ? (Drm, DrmNumbers) : (Inputs, InputNumbers);
        // The headers of DRM come with libdrm or with the kernel's; where there are none, what was recorded from them has to do.
        if (drm && !DrmFolders().Any() && Environment.GetEnvironmentVariable("SSP_UPDATE") != "1") return;
        var told = Compile(drm, Ours(structs, numbers).Select(o => o.What));
        if (Environment.GetEnvironmentVariable("SSP_UPDATE") == "1") Record(told);
        else Assert.Subset(File.ReadAllLines(LayoutFile).ToHashSet(), told.ToHashSet());
    }

    private static uint KeyCodeOf(Panel.Surface.Control control) => (uint)KeyMap.Panel.First(k => k.Value == control && k.Key < 0x100).Key;

    private static IEnumerable<(string What, long Value)> Ours((Type, string)[] structs, (uint, string)[] numbers)
    {
        foreach (var (type, name) in structs)
        {
            yield return ($"sizeof(struct {name})", SizeOf(type));
            foreach (var field in type.GetFields(BindingFlags.Instance | BindingFlags.Public))
            {
                var theirs = Renamed.GetValueOrDefault($"{name}.{Snake(field.Name)}", Snake(field.Name));
                if (theirs.StartsWith("attr", StringComparison.Ordinal) && char.IsAsciiDigit(theirs[^1])) theirs = $"attrs[{theirs[4..]}]";
                yield return ($"offsetof(struct {name}, {theirs})", Marshal.OffsetOf(type, field.Name));
            }
        }

        foreach (var (value, name) in numbers) yield return (name, value);
    }

    private static int SizeOf(Type type) =>
        (int)typeof(Unsafe).GetMethod(nameof(Unsafe.SizeOf))!.MakeGenericMethod(type).Invoke(null, null)!;

    private static string Snake(string name)
    {
        var text = new StringBuilder();
        foreach (var c in name)
        {
            if (char.IsUpper(c) && text.Length > 0) text.Append('_');
            text.Append(char.ToLowerInvariant(c));
        }

        return text.ToString();
    }

    private static IEnumerable<string> DrmFolders() =>
        new[] { Environment.GetEnvironmentVariable("SSP_DRM_HEADERS") ?? "", "/usr/include/libdrm", "/usr/include/drm" }.Where(f => File.Exists(Path.Combine(f, "drm_mode.h")));

    private static List<string> Compile(bool drm, IEnumerable<string> what)
    {
        using var folder = new Folder();
        var source = Path.Combine(folder.At, "layout.c");
        var includes = drm ? "#include <drm.h>\n#include <drm_mode.h>\n" : "#include <linux/input.h>\n#include <linux/gpio.h>\n#include <linux/fb.h>\n";
        var lines = what.Select(w => $"  printf(\"%s %ld\\n\", \"{w}\", (long)({w}));\n");
        File.WriteAllText(source, $"#include <stdio.h>\n#include <stddef.h>\n{includes}int main(void) {{\n{string.Concat(lines)}  return 0;\n}}\n");
        var program = Path.Combine(folder.At, "layout");
        var folders = drm ? DrmFolders().Take(1).Select(f => $"-I{f}") : [];
        Run("cc", [.. folders, "-Wno-format", "-o", program, source]);
        return [.. Run(program, []).Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    private static string Run(string program, string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program}: {errors.Result}");
        return text;
    }

    private static void Record(List<string> lines)
    {
        var root = typeof(LayoutTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "SspRoot").Value!;
        var file = Path.Combine(root, "tests", "SspHost.Board.Tests", "layout.txt");
        var kept = File.ReadAllLines(file).Concat(lines).Distinct().Order(StringComparer.Ordinal);
        File.WriteAllLines(file, kept);
    }
}
