// Whatever is stopped, killed, starved or broken on a target, the music goes on or comes back by itself.
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target;

[Collection(PlayingCollection.Name)]
public sealed class SupervisionTests(PlayingTarget target) : IDisposable
{
    private static readonly string Sines = Patches.PlaySines(Sound.Pair);

    // Whatever a test has left, the next finds a host that plays and counts no falls.
    public void Dispose() => target.Guest.Run(
        PlayingTarget.Tools + """
        rm -rf /data/deploy/current /data/deploy/failed /data/deploy/releases/broken
        systemctl reset-failed ssp
        systemctl restart ssp
        until_true 100 systemctl is-active ssp
        """);

    [Fact]
    public void The_music_goes_on_without_a_break_while_the_control_process_crashes_and_is_started_again()
    {
        var (said, sound) = target.Record(Sines + """
            sleep 4; e=$(engine); c=$(control)
            kill -KILL $c
            until_true 100 '[ "$(control)" != 0 ] && [ "$(control)" != '$c' ] && systemctl is-active ssp'
            sleep 1
            echo $e $(engine) $(counter dropouts)
            """);
        var words = said.Split(' ');
        Assert.Equal(words[0], words[1]);
        Assert.Equal("0", words[2]);
        Sound.GoesOn(sound, from: 3);
    }

    [Fact]
    public void The_music_goes_on_without_a_break_while_the_control_process_hangs_and_systemd_replaces_it()
    {
        var (said, sound) = target.Record(Sines + """
            sleep 4; e=$(engine); c=$(control)
            kill -STOP $c
            until_true 150 '[ "$(control)" != 0 ] && [ "$(control)" != '$c' ] && systemctl is-active ssp'
            sleep 1
            echo $e $(engine)
            journalctl -u ssp --since -30s -o cat --no-pager | grep -c 'Watchdog timeout'
            """);
        var words = said.Split(' ', '\n');
        Assert.Equal(words[0], words[1]);
        Assert.Equal("1", words[2]);
        Sound.GoesOn(sound, from: 3);
    }

    [Fact]
    public void An_engine_that_hangs_is_replaced_and_the_patch_sounds_again()
    {
        var (said, sound) = target.Record(Sines + """
            sleep 2; e=$(engine)
            kill -STOP $e
            until_true 200 '[ -n "$(engine)" ] && [ "$(engine)" != '$e' ] && systemctl is-active ssp'
            sleep 4
            echo $e $(engine)
            """, 240);
        var words = said.Split(' ');
        Assert.NotEqual(words[0], words[1]);
        Sound.GoesOn(sound, from: (sound.Frames / (double)sound.Rate) - 3);
    }

    [Fact]
    public void A_neighbour_that_takes_all_its_memory_is_killed_and_not_a_sample_is_lost()
    {
        var (said, sound) = target.Record(Sines + """
            sleep 4; e=$(engine); c=$(control); a=$(counter dropouts)
            systemd-run -q --unit=hog -p OOMPolicy=kill -p MemoryMax=200M tail /dev/zero
            until_true 200 '[ "$(systemctl show -p ActiveState --value hog)" = failed ]'
            sleep 1
            echo $e $(engine) $c $(control) $(($(counter dropouts) - a)) $(systemctl show -p Result --value hog)
            systemctl reset-failed hog
            """, 240);
        var words = said.Split(' ');
        Assert.Equal(words[0], words[1]);
        Assert.Equal(words[2], words[3]);
        Assert.Equal("0", words[4]);
        Assert.Equal("oom-kill", words[5]);
        Sound.GoesOn(sound, from: 3);
    }

    [Fact]
    public void A_patch_that_takes_the_engine_down_twice_is_opened_without_being_played()
    {
        var said = target.Run(Sines + """
            crash() { e=$(engine); kill -ABRT $e; until_true 100 '[ -n "$(engine)" ] && [ "$(engine)" != '$e' ]'; sleep 3; }
            state() { ssp status --json | sed -n 's/^ *"state": "\([a-zA-Z]*\)".*/\1/p'; }
            sleep 1; crash; state; crash; state
            ssp start >/dev/null; sleep 2; state
            """, 240);
        Assert.Equal("playing stopped playing", said.Replace('\n', ' '));
    }

    [Fact]
    public void A_deployed_release_that_does_not_run_is_put_aside_and_the_systems_own_plays()
    {
        var (said, sound) = target.Record(Sines + """
            mkdir -p /data/deploy/releases/broken/bin
            printf '#!/bin/sh\necho broken\nexit 3\n' >/data/deploy/releases/broken/bin/ssp
            chmod 755 /data/deploy/releases/broken/bin/ssp
            ln -s releases/broken /data/deploy/current
            chown -R -h ssp: /data/deploy
            systemctl reset-failed ssp; systemctl restart ssp
            until_true 300 '[ -L /data/deploy/failed ] && systemctl is-active ssp'
            sleep 4
            readlink /data/deploy/failed; ls /data/deploy/current 2>&1 | grep -c 'No such file'
            readlink /proc/$(engine)/exe
            """, 240);
        Assert.Equal("releases/broken 1 /opt/ssphost/bin/ssp-engine", said.Replace('\n', ' '));
        Sound.GoesOn(sound, from: (sound.Frames / (double)sound.Rate) - 3);
    }

    [Fact]
    public void A_host_that_falls_again_and_again_with_a_patch_plays_without_it_and_the_patch_is_kept()
    {
        var said = target.Run(Sines + """
            rm -rf /data/ssphost/state/journal-*
            sleep 2; sines() { curl -sS http://127.0.0.1:8440/api/patch | grep -c '"target-sines"'; }
            sines
            for fall in 1 2 3 4 5 6; do
                until_true 100 'systemctl is-active ssp || systemctl is-failed ssp'
                kill -KILL $(control); sleep 0.5
            done
            until_true 300 '[ -e /data/ssphost/state/journal-* ] && systemctl is-active ssp'
            sleep 2
            sines
            systemctl show -P Result ssp-failsafe
            [ -s /data/ssphost/state/journal-* ] && echo kept
            systemctl stop ssp; rm -r /data/ssphost/state/journal; mv /data/ssphost/state/journal-* /data/ssphost/state/journal
            systemctl start ssp; sleep 2; sines
            """, 240);
        Assert.Equal("1 0 success kept 1", said.Replace('\n', ' '));
    }
}
