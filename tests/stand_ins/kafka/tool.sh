#!/usr/bin/env bash
# A stand-in for our own tests only, never for users: /opt/kafka/bin/kafka-run-class.sh and, by the
# name it is called with, the other scripts there. The variables are those of the official scripts,
# and so are their defaults, because a health check is one of these tools.
set -euo pipefail

home=/opt/kafka
logs=${LOG_DIR:-$home/logs}
config=tools-log4j2.yaml heap=-Xmx256M gc_log=''
case ${0##*/} in
  kafka-run-class.sh) class=() ;;
  kafka-server-start.sh)
    class=(kafka.Kafka) config=log4j2.yaml heap='-Xmx1G -Xms1G'
    gc_log="-Xlog:gc*:file=$logs/kafkaServer-gc.log:time,tags:filecount=10,filesize=100M"
    mkdir -p "$logs"
    ;;
  kafka-broker-api-versions.sh) class=(org.apache.kafka.tools.BrokerApiVersionsCommand) ;;
  kafka-console-consumer.sh) class=(org.apache.kafka.tools.consumer.ConsoleConsumer) heap=-Xmx512M ;;
  kafka-console-producer.sh) class=(org.apache.kafka.tools.ConsoleProducer) heap=-Xmx512M ;;
  kafka-consumer-groups.sh) class=(org.apache.kafka.tools.consumer.group.ConsumerGroupCommand) ;;
  kafka-storage.sh) class=(kafka.tools.StorageTool) ;;
  kafka-topics.sh) class=(org.apache.kafka.tools.TopicCommand) ;;
  *)
    echo "$0: not in this stand-in" >&2
    exit 127
    ;;
esac

jars=("$home"/libs/*.jar)
jmx=com.sun.management.jmxremote
g1='-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent'
# shellcheck disable=SC2086 # lists of options
exec java ${KAFKA_HEAP_OPTS:-$heap} ${KAFKA_JVM_PERFORMANCE_OPTS:-$g1 -Djava.awt.headless=true} \
  ${KAFKA_GC_LOG_OPTS:-$gc_log} ${KAFKA_JMX_OPTS:--D$jmx -D$jmx.authenticate=false -D$jmx.ssl=false} \
  ${JMX_PORT:+-D$jmx.port=$JMX_PORT} -Dkafka.logs.dir="$logs" \
  ${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=$home/config/$config} \
  -cp "$(IFS=: && echo "${jars[*]}")" ${KAFKA_OPTS:-} "${class[@]}" "$@"
