#!/usr/bin/env bash
# two_hosts.sh RANKS COMMAND...: runs COMMAND under mpirun with RANKS ranks on each of two hosts that
# are network, host name and mount namespaces of this machine, joined by a bridge. Exit 77 where
# namespaces cannot be made (no root and no user namespaces, or no iproute2).
set -u
if [ "${LOCKSTEP_TWO_HOSTS:-}" != inside ]; then
  for tool in ip unshare nsenter mpirun; do
    command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
  done
  user=()
  [ "$(id -u)" -eq 0 ] || user=(--user --map-root-user)
  unshare "${user[@]}" --net --mount ip link add probe type bridge 2>/dev/null ||
    { echo "skipped: no network namespaces for this user"; exit 77; }
  export LOCKSTEP_TWO_HOSTS=inside
  exec unshare "${user[@]}" --net --mount --pid --fork --kill-child --mount-proc "$0" "$@"
fi

ranks=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
printf '127.0.0.1 localhost\n10.77.0.1 lockstep-a\n10.77.0.2 lockstep-b\n' >"$folder/hosts"
# What mpirun calls in place of ssh: HOST COMMAND...
cat >"$folder/agent" <<'AGENT'
#!/usr/bin/env bash
host=$1
shift
exec nsenter -t "$(cat "$(dirname "$0")/$host")" -n -u -m -- bash -c "$*"
AGENT
chmod +x "$folder/agent"

ip link set lo up
ip link add bridge0 type bridge
ip link set bridge0 up
number=0
for host in lockstep-a lockstep-b; do
  number=$((number + 1))
  unshare --net --uts --mount bash -c "mount --bind '$folder/hosts' /etc/hosts &&
    mount -t tmpfs tmpfs /dev/shm && hostname $host && ip link set lo up && touch '$folder/$host.up' &&
    exec sleep 1000" &
  echo $! >"$folder/$host"
  until [ -e "$folder/$host.up" ]; do
    kill -0 $! 2>/dev/null || { echo "skipped: $host cannot be made"; exit 77; }
    sleep 0.02
  done
  ip link add "port$number" type veth peer name eth0 netns $!
  ip link set "port$number" master bridge0 up
  nsenter -t $! -n ip address add "10.77.0.$number/24" dev eth0
  nsenter -t $! -n ip link set eth0 up
done

"$folder/agent" lockstep-a mpirun --mca plm rsh --mca plm_rsh_agent "$folder/agent" \
  --mca btl tcp,self,vader --mca btl_tcp_if_include eth0 --mca oob_tcp_if_include eth0 \
  -x LOCKSTEP_TEST_HOSTS=2 --host "lockstep-a:$ranks,lockstep-b:$ranks" -np $((2 * ranks)) "$@"
