import json
import os

from incidentkit import condition
from jarkeeper.alerts import open_channels, parse_plan
from jarkeeper.alerts.deliver import send
from jarkeeper.alerts.words import message_of
from jarkeeper.incidents import NoticeKind, rules
from jarkeeper.settings import Settings
from vaultkit import START


def channel_to(arn, aws):
    plan = parse_plan(f'[recipients]\nops = ["sns:{arn}"]', source="file")
    return open_channels(plan, Settings.read({"HOME": "/", **aws}))


def message():
    incident = rules.opened(condition(), now=START, id="id")
    return message_of(incident, NoticeKind.OPENED, place="/vault", now=START)


def test_a_topic_gets_the_message_with_what_a_filter_asks_for(cloud):
    aws = cloud.environment
    sns, sqs = cloud.admin("sns"), cloud.admin("sqs")
    topic = sns.create_topic(Name=f"alerts-{os.getpid()}")["TopicArn"]
    queue = sqs.create_queue(QueueName=f"alerts-{os.getpid()}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn["QueueArn"])

    assert send(message(), channel_to(topic, aws)) == {}

    (got,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1)["Messages"]
    published = json.loads(got["Body"])
    assert published["Subject"] == "Jarkeeper: session-dead: jar 'youtube': critical"
    assert "What Jarkeeper did: failed over" in published["Message"]
    assert published["MessageAttributes"]["cause"]["Value"] == "session-dead"


def test_a_topic_that_is_not_there_is_told(cloud):
    arn = f"arn:aws:sns:{cloud.region}:{cloud.account}:nowhere"

    failures = send(message(), channel_to(arn, cloud.environment))

    assert failures == {"ops 1": "channel 'ops 1': topic 'nowhere': does not exist"}
