// Cards with the kernel's real drivers: what comes in goes out, and a card that goes away comes back.
using SspHost.Target.Kit;

namespace SspHost.Target;

[Collection(PlayingCollection.Name)]
public sealed class CardTests(PlayingTarget target)
{
    [Fact]
    public void A_card_that_is_taken_away_is_said_and_plays_again_when_it_is_back()
    {
        var (said, sound) = target.Record(Patches.PlaySines(Sound.Pair) + """
            sleep 3; e=$(engine); d=$(basename $(readlink -f /sys/class/sound/card0/device))
            echo $d >/sys/bus/pci/drivers/snd_hda_intel/unbind
            sleep 3
            ssp status | grep -c 'DEVICE AWAY'
            echo $d >/sys/bus/pci/drivers/snd_hda_intel/bind
            until_true 50 grep -q : /proc/asound/cards
            amixer -q -c 0 sset Master 100% unmute
            until_true 50 '! ssp status | grep -q "DEVICE AWAY"'
            sleep 5
            echo $e $(engine) $(systemctl is-active ssp)
            journalctl -u ssp --since -30s -o cat --no-pager | grep -ci 'away\|unplugged'
            """, 240);
        var lines = said.Split('\n');
        Assert.Equal("1", lines[0]);
        var words = lines[1].Split(' ');
        Assert.Equal(words[0], words[1]);
        Assert.Equal("active", words[2]);
        Assert.NotEqual("0", lines[2]);
        Sound.GoesOn(sound, from: (sound.Frames / (double)sound.Rate) - 3);
    }

    [Fact]
    public void What_another_program_plays_comes_through_the_loopback_card_the_host_and_back()
    {
        target.Guest.Put("/tmp/in.raw", Wav.Sines(750, 1250, 10));
        target.Guest.Put("/tmp/through.json", System.Text.Encoding.UTF8.GetBytes(Patches.Through));
        target.Run("""
            modprobe snd_aloop
            until_true 50 '[ -e /proc/asound/Loopback ]'
            mkdir -p /tmp/loop; chown ssp: /tmp/loop
            card="-f S16_LE -r 48000 -c 2 --period-size=256 --buffer-size=2048"
            aplay -q -D hw:Loopback,0,0 -t raw $card /tmp/in.raw & play=$!
            arecord -q -D hw:Loopback,0,0 -t wav $card /tmp/loop/out.wav & take=$!
            systemd-run -q --unit=through -p User=ssp -p LimitRTPRIO=95 -p LimitMEMLOCK=infinity -p SupplementaryGroups=audio -E SSP_RUNTIME=/tmp/loop -E XDG_STATE_HOME=/tmp/loop \
                /opt/ssphost/bin/ssp run /tmp/through.json --device alsa:hw:Loopback,1,0 --period 256 --periods 4 --region-mib 64 --web off --midi off
            sleep 8
            systemctl stop through; kill $take $play 2>/dev/null; wait
            journalctl -u through -o cat --no-pager >&2
            """, 240);
        var sound = Wav.Parse(target.Guest.Get("/tmp/loop/out.wav"), "out.wav");
        var until = sound.Frames / (double)sound.Rate;
        var part = sound.Part(until - 4, until - 1.5);
        foreach (var (channel, hertz) in new[] { (0, 750.0), (1, 1250.0) })
        {
            var tone = part.Tone(channel, hertz);
            Assert.NotNull(tone);
            Assert.True(tone.Breaks.Count == 0 && tone.Seconds > 2 && Math.Abs(tone.Hz - hertz) < 0.02 && Math.Abs(tone.Level - 0.5) < 0.002, $"channel {channel}: {tone}");
        }
    }
}
