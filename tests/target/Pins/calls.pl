# System calls for somebody who is elsewhere: a line asks, a line answers; what a streamed descriptor has to read comes by itself.
#   open PATH                 -> ok FD | no ERRNO
#   ioctl FD REQUEST HEX      -> ok ANSWER HEX | no ERRNO     (the argument, before and after)
#   stream FD                 -> ok 0, and then `data FD HEX` whenever there is something to read
#   close FD                  -> ok 0
use strict;
use warnings;
use IO::Select;

my (%files, %streamed);
my $ready = IO::Select->new(\*STDIN);
my $asked = '';
$| = 1;

sub file {
    my ($fd) = @_;
    # What an ioctl has opened is known by its number alone.
    if (!$files{$fd}) { open($files{$fd}, '+<&=', $fd) or die "$fd: $!\n" }
    return $files{$fd};
}

sub answer {
    my ($word, $fd, $request, $hex) = split / /, $_[0];
    if ($word eq 'open') {
        return "no " . ($! + 0) if !sysopen(my $file, $fd, 2);
        $files{fileno $file} = $file;
        return 'ok ' . fileno $file;
    }
    if ($word eq 'ioctl') {
        my $argument = pack 'H*', $hex;
        my $result = ioctl(file($fd), $request, $argument);
        return defined $result ? 'ok ' . ($result + 0) . ' ' . unpack('H*', $argument) : 'no ' . ($! + 0);
    }
    if ($word eq 'stream') {
        $streamed{fileno file($fd)} = 1;
        $ready->add(file($fd));
        return 'ok 0';
    }
    if ($word eq 'close') {
        $ready->remove(file($fd)) if delete $streamed{$fd};
        close delete $files{$fd};
        return 'ok 0';
    }
    die "there is no '$word'\n";
}

while (1) {
    for my $file ($ready->can_read) {
        if ($file != \*STDIN) {
            my $read = sysread($file, my $data, 4096);
            if ($read) { print 'data ' . fileno($file) . ' ' . unpack('H*', $data) . "\n" }
            else { $ready->remove($file) }
            next;
        }
        sysread(STDIN, $asked, 65536, length $asked) or exit;
        while ($asked =~ s/^(.*)\n//) { print answer($1) . "\n" }
    }
}
