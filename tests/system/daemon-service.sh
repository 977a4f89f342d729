# The daemon under a service manager: a listening socket that is handed over, readiness told, many
# connections, and requests that are none.
. "$(dirname "$0")/../lib/system.sh"
. "$(dirname "$0")/../lib/daemon.sh"
require perl

# As sd_listen_fds(3) and sd_notify(3) have it.
perl -MIO::Socket::UNIX -MSocket -e '
    my ($path, $notify, @command) = @ARGV;
    my $n = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $notify) or die "$notify: $!";
    my $s = IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 128) or die "$path: $!";
    chmod 0666, $path;
    my $pid = fork;
    if (!$pid) {
        POSIX::dup2(fileno($s), 3) if fileno($s) != 3;
        $^F = 3;
        fcntl($s, 2, 0) if fileno($s) == 3;
        $ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; $ENV{NOTIFY_SOCKET} = $notify;
        exec @command;
    }
    print "$pid\n"; $| = 1; print "";
    while (1) { my $m; recv($n, $m, 100, 0); print "$m\n"; last if $m =~ /STOPPING/ }
    waitpid $pid, 0; print "exit ", $? >> 8, "\n";' -MPOSIX \
    "$SOCKET" "$T/notify" "$(command -v exhibitd)" --state-dir "$T/jobs" --group "$DAEMON_GROUP" \
    --config "$T/conf" >"$T/manager" 2>"$T/daemon.log" &
manager=$!
wait_until 30 grep -q READY=1 "$T/manager"
DAEMON=$(head -1 "$T/manager")
daemon_kill_at_exit "$DAEMON"
api "$ADA" 200 /v1/version

# More connections than one user may have: the rest are told so, others get in.
setpriv --reuid="$ADA" --regid="$ADA" --groups="$DAEMON_GID" perl -MIO::Socket::UNIX -e '
    my @s = map { IO::Socket::UNIX->new(Peer => $ARGV[0]) } 1 .. 300;
    my ($told, $quiet) = (0, 0);
    $_->blocking(0) for @s;
    # Those who are told nothing are kept: it is over when a second brings nothing new.
    for (my $i = 0; $i < 300 && ($told < 268 || $quiet < 10); $i++) {
        my $before = $told;
        select undef, undef, undef, 0.1;
        for my $s (@s) { my $b = ""; sysread($s, $b, 300); $told++ if $b =~ / 503 .*too many/s }
        $quiet = $told == $before ? $quiet + 1 : 0;
    }
    $| = 1; print "$told\n"; sleep 60' "$SOCKET" >"$T/told" &
crowd=$!
end_at_exit "$crowd"
wait_until 60 test -s "$T/told"
# A connection of before may still be ending.
[ "$(cat "$T/told")" -ge 268 ] && [ "$(cat "$T/told")" -le 270 ] ||
    fail "$(cat "$T/told") of 300 connections were turned away, expected 268"
api "$BOB" 200 /v1/version
api 0 200 /v1/version
api "$ADA" 503 /v1/version
kill "$crowd"
wait "$crowd" || true
wait_until 10 as "$ADA" curl -sf --unix-socket "$SOCKET" http://x/v1/version

# What is no request, or too large a one.
api "$ADA" 431 /v1/version -H "X: $(head -c 40000 /dev/zero | tr '\0' a)"
api "$ADA" 413 /v1/jobs -H 'Transfer-Encoding: chunked' -d "$(head -c 100000 /dev/zero | tr '\0' ' ')"
# The answer comes while the request is still being sent, and does not cut it off.
as "$ADA" perl -MIO::Socket::UNIX -e '
    $SIG{PIPE} = sub { print "cut off\n"; exit };
    my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]);
    $s->autoflush(1);
    print $s "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n\r\n";
    for (1 .. 70) { print $s " " x 1000; select undef, undef, undef, 0.01 }
    print scalar <$s>' "$SOCKET" >"$T/answer"
assert_contains "$T/answer" "HTTP/1.1 413 "
api "$ADA" 404 '/v1/../../../etc/passwd' --path-as-is
api "$ADA" 404 '/v1/jobs/1%2fpause%20' -X POST
api "$ADA" 404 '/v1/version%00x'
# What is allowed is named where a method is not, and nowhere else.
api "$ADA" 400 /v1/jobs -d '{}' -i
assert_lacks "$T/out" "Allow:"
api "$ADA" 405 /v1/jobs -X DELETE -i
assert_contains "$T/out" "Allow: GET, POST"
as "$ADA" perl -MIO::Socket::UNIX -e '
    for my $m ("\0\xff" x 5000, "garbage\r\n\r\n", "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{") {
        my $s = IO::Socket::UNIX->new(Peer => $ARGV[0]);
        $s->autoflush(1);
        print $s $m;
        $s->shutdown(1);
        1 while sysread($s, my $b, 1000);
    }' "$SOCKET"
alone() { [ -z "$(cat "/proc/$DAEMON/task/$DAEMON/children")" ]; }
wait_until 10 alone
api "$ADA" 200 /v1/version

kill -TERM "$DAEMON"
wait "$manager"
assert_contains "$T/manager" STOPPING=1
assert_contains "$T/manager" "exit 0"
