# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_cablecar_global_optspecs
    string join \n h/help V/version
end

function __fish_cablecar_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_cablecar_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_cablecar_using_subcommand
    set -l cmd (__fish_cablecar_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c cablecar -n "__fish_cablecar_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_needs_command" -s V -l version -d 'Print version'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "create" -d 'Make a new passkey on a phone'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "get" -d 'Sign in with a passkey on a phone'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "device" -d 'Be a security key for all programs, on which a phone answers (Linux)'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "doctor" -d 'Look for what would keep those from working'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "install" -d 'Put Cablecar where other programs find it'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "browser-host" -d 'Serve the browser extension; browsers start this themselves'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "ctap" -d 'Be a security key for programs of this computer, whose passkeys are on a phone: CTAP in frames, as docs/ctap-pipe.md says'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar -n "__fish_cablecar_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l origin -d 'The origin of the page that asks, such as `https://example.com`' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l qr -d 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l show -d 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once' -r -f -a "page\t'A page in the browser'"
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l events -d 'Print stages as events for programs, in place of sentences' -r -f -a "json\t'One JSON object a line, on standard error'"
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand create" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l origin -d 'The origin of the page that asks, such as `https://example.com`' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l qr -d 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l show -d 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once' -r -f -a "page\t'A page in the browser'"
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l events -d 'Print stages as events for programs, in place of sentences' -r -f -a "json\t'One JSON object a line, on standard error'"
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand get" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l qr -d 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l show -d 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once' -r -f -a "page\t'A page in the browser'"
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l events -d 'Print stages as events for programs, in place of sentences' -r -f -a "json\t'One JSON object a line, on standard error'"
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -l socket -d 'Take CTAPHID\'s reports from the socket of packets that is standard input, in place of /dev/uhid: for tests'
complete -c cablecar -n "__fish_cablecar_using_subcommand device" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l domain-id -d 'A relay to try, by its domain id. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l format -d 'In which form to report' -r -f -a "text\t'A line a check'
json\t'One JSON object'"
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and not __fish_seen_subcommand_from browser help" -s h -l help -d 'Print help'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and not __fish_seen_subcommand_from browser help" -f -a "browser" -d 'Tell browsers where this program is, so that the extension can start it'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and not __fish_seen_subcommand_from browser help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -l browser -d 'This browser [default: all that were used here]. May be given several times' -r -f -a "chromium\t''
chrome\t''
edge\t''
brave\t''
vivaldi\t''
firefox\t''
libre-wolf\t''
zen\t''"
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -l program -d 'The program that the browser is to start [default: this one]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -l folder -d 'The folder of manifests of one browser, if it is elsewhere: of another profile, or of all users' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -l extension-to -d 'Also write the extension into this folder, to be loaded from there' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -l remove -d 'Take the manifests away again'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from browser" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from help" -f -a "browser" -d 'Tell browsers where this program is, so that the extension can start it'
complete -c cablecar -n "__fish_cablecar_using_subcommand install; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand browser-host" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l listen -d 'Speak on a socket that only this user can reach, with one client after the other' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l qr -d 'How to show a code: terminal, text, png:FILE or svg:FILE (the file is removed when the request ends)' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l show -d 'Where to show a code in place of the terminal: page, in the browser of this computer, with the stages; served to it alone, and once' -r -f -a "page\t'A page in the browser'"
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l events -d 'Print stages as events for programs, in place of sentences' -r -f -a "json\t'One JSON object a line, on standard error'"
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l adapter -d 'The Bluetooth adapter that listens [default: the first that is on]' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l danger-air -d 'Hear phones over UDP on this loopback address in place of Bluetooth: no proximity' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l connect-to -d 'Instead of HOST:PORT connect to ADDR:PORT, or have the proxy connect there; certificates are still checked for HOST. May be given several times' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l ca-file -d 'Trust only the certificate authorities in this PEM file [default: those of the system, or of SSL_CERT_FILE or SSL_CERT_DIR]' -r -F
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l danger-relay -d 'Use this relay (ws:// or wss://) whatever the phone\'s advert names' -r
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -l stdio -d 'Speak on standard input and output, to the end of the input'
complete -c cablecar -n "__fish_cablecar_using_subcommand ctap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c cablecar -n "__fish_cablecar_using_subcommand completions" -s h -l help -d 'Print help'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "create" -d 'Make a new passkey on a phone'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "get" -d 'Sign in with a passkey on a phone'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "device" -d 'Be a security key for all programs, on which a phone answers (Linux)'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "doctor" -d 'Look for what would keep those from working'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "install" -d 'Put Cablecar where other programs find it'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "browser-host" -d 'Serve the browser extension; browsers start this themselves'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "ctap" -d 'Be a security key for programs of this computer, whose passkeys are on a phone: CTAP in frames, as docs/ctap-pipe.md says'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "completions" -d 'Print what a shell completes, for it to read'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and not __fish_seen_subcommand_from create get device doctor install browser-host ctap completions help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c cablecar -n "__fish_cablecar_using_subcommand help; and __fish_seen_subcommand_from install" -f -a "browser" -d 'Tell browsers where this program is, so that the extension can start it'
