#!/usr/bin/perl
# Slow and idle clients for the bench:  crowd.pl PORT IDLE SLOW REQUESTS
#
# IDLE connections send REQUESTS (0 or 1) requests each and then nothing. SLOW ones send a byte a second: half of them
# of a head, until the proxy closes the connection and they reconnect, the others of a body.
# Prints `ready` when all are connected, and runs until it is stopped.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $idle, $slow, $requests) = @ARGV;

sub dial {
  return IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port", Proto => "tcp") // die "connect: $!\n";
}

sub send_bytes {
  my ($socket, $bytes) = @_;
  local $SIG{PIPE} = "IGNORE";
  return defined syswrite $socket, $bytes;
}

my @idle = map { dial() } 1 .. $idle;
for my $socket ($requests ? @idle : ()) {
  send_bytes($socket, "GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
  sysread $socket, my $answer, 65536;
}

my $head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nIdempotency-Key: slow\r\nContent-Length: 100000\r\n";
my @slow;
for my $number (0 .. $slow - 1) {
  $slow[$number] = dial();
  send_bytes($slow[$number], $number % 2 ? "$head\r\n" : "P");
}

$| = 1;
print "ready\n";
while (sleep 1) {
  for my $number (0 .. $slow - 1) {
    next if send_bytes($slow[$number], "x");
    $slow[$number] = dial();
    send_bytes($slow[$number], $number % 2 ? "$head\r\n" : "P");
  }
}
