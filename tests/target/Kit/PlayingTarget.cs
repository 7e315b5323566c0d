// One machine that started by itself into a playing patch: what most tests look at.
using System.Globalization;

namespace SspHost.Target.Kit;

/// <summary>A machine for the tests of a class; the card's own volume is all the way up, so that samples arrive as they were played.</summary>
public class PlayingTarget : IDisposable
{
    /// <summary>What scripts may use: the host's programs as its user has them, and waiting for a state.</summary>
    internal const string Tools = """
        set -u
        export SSP_RUNTIME=/run/ssphost SSP_CONFIG=/data/ssphost/ssp.json XDG_STATE_HOME=/data/ssphost/state
        ssp() { for r in /data/deploy/current /opt/ssphost; do [ -x $r/bin/ssp ] && break; done; $r/bin/ssp "$@"; }
        until_true() { tries=$1; shift; while ! eval "$@" >/dev/null 2>&1; do tries=$((tries - 1)); [ $tries -gt 0 ] || { echo "never: $*" >&2; exit 9; }; sleep 0.2; done; }
        engine() { sed -n 's/.*"pid": *\([0-9]*\).*/\1/p' /run/ssphost/engine.json; }
        control() { systemctl show -p MainPID --value ssp; }
        counter() { ssp status --json | grep -o "\"$1\": *[0-9]*" | head -n 1 | grep -o '[0-9]*$'; }
        play() { curl -sS -f -X PUT -H 'Content-Type: application/json' --data-binary @- http://127.0.0.1:8440/api/patch >/dev/null; }

        """;

    private readonly Lazy<Guest> _guest;

    public PlayingTarget()
        : this(new GuestOptions())
    {
    }

    private protected PlayingTarget(GuestOptions options) => _guest = new Lazy<Guest>(() =>
    {
        var guest = Guest.Start(options);
        try
        {
            var ready = guest.Run(
                Tools + """
                until_true 150 grep -q : /proc/asound/cards
                amixer -q -c 0 sset Master 100% unmute
                until_true 150 systemctl is-active ssp
                """, TimeSpan.FromSeconds(180));
            if (ready.ExitCode != 0) throw new IOException($"the host does not play: {ready}\n{guest.Run("journalctl -b -u ssp --no-pager | tail -n 40").Output}");
            return guest;
        }
        catch
        {
            guest.Dispose();
            throw;
        }
    });

    internal Guest Guest => _guest.Value;

    /// <summary>Runs a script with the tools above and returns what it printed; fails the test with all that it said where its exit code is not 0.</summary>
    public string Run(string script, int seconds = 120)
    {
        var outcome = Guest.Run(Tools + script, TimeSpan.FromSeconds(seconds));
        Assert.True(outcome.ExitCode == 0, outcome.ToString());
        return outcome.Output.Trim();
    }

    /// <summary>The same, as a number.</summary>
    public long Number(string script, int seconds = 120) => long.Parse(Run(script, seconds), NumberStyles.Integer, CultureInfo.InvariantCulture);

    /// <summary>Runs a script while what the card plays is recorded.</summary>
    internal (string Output, Wav Sound) Record(string script, int seconds = 180)
    {
        using var recording = Guest.Record();
        var output = Run(script, seconds);
        return (output, recording.Stop());
    }

    public virtual void Dispose()
    {
        if (_guest.IsValueCreated) _guest.Value.Dispose();
        GC.SuppressFinalize(this);
    }
}
