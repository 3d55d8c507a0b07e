# SPDX-License-Identifier: MIT
# tundctl's words for bash-completion. The commands are those of `tundctl help`,
# which a test compares.

_tundctl_devices()
{
	tundctl list -j 2>/dev/null | tr '{' '\n' |
		sed -n 's/.*"name":"\([^"]*\)".*/\1/p'
}

_tundctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local commands='status list show up down stats clients monitor metrics
		capture policy reload tuntap run doctor snippet help'
	local options='--control --json --help' words=''

	COMPREPLY=()
	if [ "$COMP_CWORD" -eq 1 ]; then
		mapfile -t COMPREPLY < <(compgen \
			-W "$commands --help --version" -- "$cur")
		return
	fi
	case $prev in
	--control | --textfile | --device | --log | --write | -w)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return ;;
	--netns)
		mapfile -t COMPREPLY < <(compgen \
			-W "$(command ls /run/netns 2>/dev/null)" -- "$cur")
		return ;;
	--uid | --gid | --user)
		mapfile -t COMPREPLY < <(compgen \
			-A "$([ "$prev" = --gid ] && echo group || echo user)" \
			-- "$cur")
		return ;;
	--kind)
		mapfile -t COMPREPLY < <(compgen -W 'tun tap' -- "$cur")
		return ;;
	--plane)
		mapfile -t COMPREPLY < <(compgen -W 'auto direct file' -- "$cur")
		return ;;
	esac
	case ${COMP_WORDS[1]} in
	status | list | clients | monitor | reload)
		words=$options ;;
	show | up | down | stats)
		words="$options --netns"
		[[ $cur == -* ]] || words=$(_tundctl_devices) ;;
	metrics)
		words='--control --textfile --help' ;;
	capture)
		words='--control --netns --write --filter --count --snaplen
			--ring --quiet --help'
		[[ $cur == -* ]] || words=$(_tundctl_devices) ;;
	policy)
		words="$options --uid --gid --netns --kind --plane"
		[[ $cur == -* ]] || words="check $(_tundctl_devices)" ;;
	tuntap)
		words='add del show list dev mode tun tap user group one_queue
			pi vnet_hdr multi_queue --device --statistics --help' ;;
	run)
		words='--device --plane --log --help'
		[[ $cur == -* ]] || words=$(compgen -c -- "$cur") ;;
	doctor)
		words='--pid --container --device --json --help' ;;
	snippet)
		words='--device --user --name --help'
		[[ $cur == -* ]] || words='docker podman compose kubernetes
			systemd nspawn lxc openvpn policy' ;;
	help)
		words=$commands ;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _tundctl tundctl
