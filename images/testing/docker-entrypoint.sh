#!/usr/bin/env bash
# Takes what Flink's entry point takes of us: `standalone-job ...` and `taskmanager ...`.
set -euo pipefail
export FLINK_CONF_DIR=$FLINK_HOME/conf FLINK_LIB_DIR=$FLINK_HOME/lib FLINK_PLUGINS_DIR=$FLINK_HOME/plugins
export FLINK_OPT_DIR=$FLINK_HOME/opt FLINK_LOG_DIR=$FLINK_HOME/log
# In the order that Flink's scripts take: its own jar last.
class_path=$(find "$FLINK_LIB_DIR" -name '*.jar' ! -name 'flink-dist*' | sort | tr '\n' :)$(echo "$FLINK_LIB_DIR"/flink-dist*.jar)

# What Flink's BashJavaUtils answers.
ask() {
  java -cp "$class_path:$FLINK_HOME/bin/bash-java-utils.jar" \
    org.apache.flink.runtime.util.bash.BashJavaUtils "$@" 2>/dev/null | sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p'
}

# Its own options are those before the job's: what BashJavaUtils may not see begins with --pipeline.
process=$1
shift
settings=()
for one in "$@"; do
  case $one in -D*) settings+=("$one") ;; esac
done
case $process in
  standalone-job)
    main=org.apache.flink.container.entrypoint.StandaloneApplicationClusterEntryPoint
    question=GET_JM_RESOURCE_PARAMS
    role=jobmanager
    ;;
  taskmanager)
    main=org.apache.flink.runtime.taskexecutor.TaskManagerRunner
    question=GET_TM_RESOURCE_PARAMS
    role=taskmanager
    ;;
  *)
    exec "$process" "$@"
    ;;
esac
mapfile -t answer < <(ask "$question" --configDir "$FLINK_CONF_DIR" "${settings[@]}")
options=$(ask UPDATE_AND_GET_FLINK_CONFIGURATION --configDir "$FLINK_CONF_DIR" -flatten \
  | sed -n "s/^env\.java\.opts\.\(all\|$role\): *//p" | sed 's/^"\(.*\)"$/\1/' | tr '\n' ' ')
[ "${#answer[@]}" -ge 2 ] && [ -n "$options" ] || { echo "Flink told no memory or no options" >&2; exit 1; }
# shellcheck disable=SC2086 # options are words
exec java ${answer[0]} $options "-Dlog4j.configurationFile=file:$FLINK_CONF_DIR/log4j-console.properties" \
  -cp "$class_path" "$main" --configDir "$FLINK_CONF_DIR" ${answer[1]} "$@"
