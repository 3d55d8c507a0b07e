# SPDX-License-Identifier: MIT
# tundctl's words for fish. The commands are those of `tundctl help`, which a
# test compares.

# Anybody may have chosen a name: those of plain ASCII that are no option. fish
# leaves a tilde in front as it is, and would make a path of it.
function __tundctl_plain
    LC_ALL=C command sed -n '/^[!-,.-}][ -~]*$/p'
end

function __tundctl_devices
    tundctl list -j 2>/dev/null |
        string match -arg '"name":"((?:[^"\\\\]|\\\\["\\\\])*)"' |
        string replace -ar '\\\\(.)' '$1' | __tundctl_plain
end

function __tundctl_namespaces
    command ls /run/netns 2>/dev/null | __tundctl_plain
end

function __tundctl_needs_command
    test (count (commandline -opc)) -eq 1
end

function __tundctl_has
    set -l words (commandline -opc)
    test (count $words) -ge 2; and contains -- $words[2] $argv
end

complete -c tundctl -f
complete -c tundctl -n __tundctl_needs_command -a status -d 'How the daemon is'
complete -c tundctl -n __tundctl_needs_command -a list -d 'List devices'
complete -c tundctl -n __tundctl_needs_command -a show -d 'Show a device'
complete -c tundctl -n __tundctl_needs_command -a up -d 'Set an interface up'
complete -c tundctl -n __tundctl_needs_command -a down -d 'Set an interface down'
complete -c tundctl -n __tundctl_needs_command -a stats -d 'Show counters'
complete -c tundctl -n __tundctl_needs_command -a clients -d 'List open files'
complete -c tundctl -n __tundctl_needs_command -a monitor -d 'Print events'
complete -c tundctl -n __tundctl_needs_command -a metrics -d 'Print metrics'
complete -c tundctl -n __tundctl_needs_command -a capture -d 'Write packets to a file'
complete -c tundctl -n __tundctl_needs_command -a policy -d 'Say which policy decides'
complete -c tundctl -n __tundctl_needs_command -a reload -d 'Read the configuration'
complete -c tundctl -n __tundctl_needs_command -a tuntap -d 'Persistent devices'
complete -c tundctl -n __tundctl_needs_command -a run -d 'Run a program'
complete -c tundctl -n __tundctl_needs_command -a doctor -d 'Say what is missing'
complete -c tundctl -n __tundctl_needs_command -a snippet -d 'Print configuration'
complete -c tundctl -n __tundctl_needs_command -a help -d 'Explain a command'

set -l ask status list clients monitor reload show up down stats metrics policy
set -l named show up down stats capture
complete -c tundctl -n "__tundctl_has $ask capture" -l control -rF -d 'Socket'
complete -c tundctl -n "__tundctl_has $ask; and not __tundctl_has metrics" -s j -l json -d 'Print JSON'
complete -c tundctl -n "__tundctl_has $named" -l netns -x -a '(__tundctl_namespaces)'
complete -c tundctl -n "__tundctl_has $named" -a '(__tundctl_devices)'
complete -c tundctl -n '__tundctl_has metrics' -l textfile -rF
complete -c tundctl -n '__tundctl_has capture' -s w -l write -rF -d 'File'
complete -c tundctl -n '__tundctl_has capture' -s f -l filter -x -d 'Expression of pcap-filter'
complete -c tundctl -n '__tundctl_has capture' -s c -l count -x -d 'So many packets'
complete -c tundctl -n '__tundctl_has capture' -s s -l snaplen -x -d 'Bytes of each packet'
complete -c tundctl -n '__tundctl_has capture' -s b -l ring -x -a 'filesize: files:' -d 'Several files'
complete -c tundctl -n '__tundctl_has capture' -s q -l quiet -d 'Say little'
complete -c tundctl -n '__tundctl_has policy' -a 'check (__tundctl_devices)'
complete -c tundctl -n '__tundctl_has policy' -l uid -x -a '(__fish_complete_users)'
complete -c tundctl -n '__tundctl_has policy' -l gid -x -a '(__fish_complete_groups)'
complete -c tundctl -n '__tundctl_has policy' -l netns -x -a 'host (__tundctl_namespaces)'
complete -c tundctl -n '__tundctl_has policy' -l kind -x -a 'tun tap'
complete -c tundctl -n '__tundctl_has policy' -l plane -x -a 'file direct'
complete -c tundctl -n '__tundctl_has tuntap' -a 'add del show list dev mode tun tap user group one_queue pi vnet_hdr multi_queue'
complete -c tundctl -n '__tundctl_has tuntap' -s s -l statistics
complete -c tundctl -n '__tundctl_has run' -l plane -x -a 'auto direct file'
complete -c tundctl -n '__tundctl_has run' -l log -rF
complete -c tundctl -n '__tundctl_has run' -xa '(__fish_complete_subcommand)'
complete -c tundctl -n '__tundctl_has doctor' -l pid -x
complete -c tundctl -n '__tundctl_has doctor' -l container -x
complete -c tundctl -n '__tundctl_has doctor' -s j -l json
complete -c tundctl -n '__tundctl_has snippet' -a 'docker podman compose kubernetes systemd nspawn lxc openvpn policy'
complete -c tundctl -n '__tundctl_has snippet' -l user -x -a '(__fish_complete_users)'
complete -c tundctl -n '__tundctl_has snippet' -l name -x -a '(__tundctl_devices)'
complete -c tundctl -n '__tundctl_has tuntap run doctor snippet' -l device -rF
complete -c tundctl -n '__tundctl_has help' -a 'status list show up down stats clients monitor metrics capture policy reload tuntap run doctor snippet'
