# Hands in the machine: input devices by uinput that are played by lines on standard input, an I2C chip's registers, and questions to the host.
#   keys | rotary N          makes a device: the panel's keys (gpio-keys' codes), an encoder that the kernel has decoded (REL_DIAL)
#   press CODE, release CODE, tap CODE, turn N DETENTS     plays them; each is an event of its own
#   wait MS                  lets time go by
#   ask JSON                 a line to the control socket; what comes back is printed
#   i2c BUS ADDRESS REGISTER [VALUE]     writes a register, or prints it; all numbers as Perl's oct() reads them
#   until MS TEXT JSON       asks again and again until TEXT is in the answer, which is printed; prints what came last after MS
use strict;
use warnings;
use IO::Handle;
use IO::Socket::UNIX;

my ($UI_SET_EVBIT, $UI_SET_KEYBIT, $UI_SET_RELBIT, $UI_DEV_CREATE) = (0x40045564, 0x40045565, 0x40045566, 0x5501);
my ($EV_SYN, $EV_KEY, $EV_REL, $REL_DIAL) = (0, 1, 2, 7);
my ($keys, %rotary, $host);
STDOUT->autoflush(1);

sub device {
    my ($name, $type, $set, @codes) = @_;
    open(my $device, '+<', '/dev/uinput') or die "/dev/uinput: $!\n";
    binmode $device;
    ioctl($device, $UI_SET_EVBIT, $type) or die "uinput: $!\n";
    ioctl($device, $set, $_) or die "uinput: $!\n" for @codes;
    syswrite($device, pack('a80 S4 L l256', $name, 3, 1, 1, 1, 0, (0) x 256)) or die "uinput: $!\n";
    ioctl($device, $UI_DEV_CREATE, 0) or die "uinput: $!\n";
    return $device;
}

sub put {
    my ($device, $type, $code, $value) = @_;
    syswrite($device, pack('q2 S2 l', 0, 0, $type, $code, $value) . pack('q2 S2 l', 0, 0, $EV_SYN, 0, 0)) or die "uinput: $!\n";
}

sub pause { select(undef, undef, undef, $_[0] / 1000) }

sub ask {
    if (!$host) {
        $host = IO::Socket::UNIX->new(Peer => '/run/ssphost/control.sock') or die "control.sock: $!\n";
        <$host>; # it speaks first
    }
    print $host "$_[0]\n";
    return scalar <$host>;
}

sub i2c {
    my ($bus, $address, $register, $value) = @_;
    open(my $device, '+<', $bus) or die "$bus: $!\n";
    ioctl($device, 0x0703, $address) or die "$bus: $!\n";
    my $data = pack('C x33', $value // 0);
    my $transfer = pack('C C x2 L P', defined $value ? 0 : 1, $register, 2, $data);
    ioctl($device, 0x0720, $transfer) or die "$bus: $!\n";
    printf "%02x\n", unpack('C', $data) if !defined $value;
}

while (my $line = <STDIN>) {
    chomp $line;
    my ($word, $rest) = split / /, $line, 2;
    if ($word eq 'keys') { $keys = device('panel-keys', $EV_KEY, $UI_SET_KEYBIT, 2 .. 5, 59 .. 66, 103, 105, 106, 108, 42, 54) }
    elsif ($word eq 'rotary') { $rotary{$rest} = device("rotary\@$rest", $EV_REL, $UI_SET_RELBIT, $REL_DIAL) }
    elsif ($word eq 'press') { put($keys, $EV_KEY, $rest, 1); pause(20) }
    elsif ($word eq 'release') { put($keys, $EV_KEY, $rest, 0); pause(20) }
    elsif ($word eq 'tap') { put($keys, $EV_KEY, $rest, 1); pause(60); put($keys, $EV_KEY, $rest, 0); pause(60) }
    elsif ($word eq 'turn') {
        my ($number, $detents) = split / /, $rest;
        for (1 .. abs $detents) { put($rotary{$number}, $EV_REL, $REL_DIAL, $detents < 0 ? -1 : 1); pause(150) } # slowly: quick turns go further
    }
    elsif ($word eq 'wait') { pause($rest) }
    elsif ($word eq 'ask') { print ask($rest) }
    elsif ($word eq 'i2c') { my ($bus, @numbers) = split / /, $rest; i2c($bus, map { oct } @numbers) }
    elsif ($word eq 'until') {
        my ($ms, $text, $question) = split / /, $rest, 3;
        my $answer = '';
        for (my $left = $ms; $left > 0; $left -= 100) {
            $answer = ask($question);
            last if index($answer, $text) >= 0;
            pause(100);
        }
        print $answer;
    }
    elsif ($word ne '') { die "there is no '$word'\n" }
}
