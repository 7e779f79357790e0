#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: behaves like /etc/kafka/docker/run of the
# official apache/kafka image. What makes server.properties of the KAFKA_* variables and formats the
# storage is Kafka's own class, the same as there.
set -euo pipefail

for var; do export "${var?}"; done # as there, arguments are more variables
echo "===> User"
id
export CLUSTER_ID=${CLUSTER_ID:-5L6g3nShT-eMCtK--X86sw}

echo "===> Configuring ..."
if [[ ${KAFKA_PROCESS_ROLES:-} == controller ]]; then
  if [[ -n ${KAFKA_ADVERTISED_LISTENERS:-} ]]; then
    echo "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller."
    exit 1
  fi
  unset KAFKA_ADVERTISED_LISTENERS
elif [[ -z ${KAFKA_LISTENERS:-} && -n ${KAFKA_ADVERTISED_LISTENERS:-} ]]; then
  shopt -s extglob
  export KAFKA_LISTENERS=${KAFKA_ADVERTISED_LISTENERS//:\/\/*([^:]):/:\/\/0.0.0.0:}
fi
if [[ ! -w /opt/kafka/config ]]; then
  echo "/opt/kafka/config/ file not writable"
  exit 1
fi

echo "===> Launching ..."
echo "===> Using provided cluster id $CLUSTER_ID ..."
# As there, the archives of loaded classes take the place of kafka-run-class.sh's default options.
options=${KAFKA_JVM_PERFORMANCE_OPTS:-}
result=$(KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=/opt/kafka/storage.jsa" \
  /opt/kafka/bin/kafka-run-class.sh kafka.docker.KafkaDockerWrapper setup \
  --default-configs-dir /etc/kafka/docker --mounted-configs-dir /mnt/shared/config \
  --final-configs-dir /opt/kafka/config 2>&1) || grep -i 'already formatted' <<<"$result" || {
  echo "$result"
  exit 1
}
export KAFKA_JVM_PERFORMANCE_OPTS="$options -XX:SharedArchiveFile=/opt/kafka/kafka.jsa"
exec /opt/kafka/bin/kafka-server-start.sh /opt/kafka/config/server.properties
