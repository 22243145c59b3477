//! A log as it is written: a stream that ends with the attempt, the client, or the server.

use std::io;

use axum::{
    body::{Body, Bytes},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    FOLLOW, Form, Found, StructuredLogMessage, describe, encode,
    message::lines,
    source::{Next, Reading, Until},
};
use crate::{
    ApiError, App,
    access::Who,
    api::events::{BEAT, beats, last_event_id, mark_live},
    live::{Access, Seat},
};

/// One who follows a log.
struct Follower {
    reading: Reading,
    form: Form,
    access: Access,
    closing: CancellationToken,
    beats: tokio::time::Interval,
    ends_at: Instant,
    /// What is sent first.
    greeting: Option<Bytes>,
    is_done: bool,
    _seat: Seat,
}

/// Answers with the log from a position on, and with what is added to it.
pub(super) async fn answer(
    app: &App,
    request: &Parts,
    who: Who,
    found: Found,
    form: Form,
    start: u64,
) -> Result<Response, ApiError> {
    let seat = app.live.seat(&who)?;
    let access = Access::new(app, request, who, Some(found.source.name.dag_id.to_string())).await?;
    let size = found.source.size().await.map_err(super::unreadable)?;
    let start = match form {
        Form::Events => last_event_id(&request.headers).unwrap_or(start),
        Form::Json | Form::Ndjson | Form::Text => start,
    };
    let start = start.min(size.unwrap_or(0));
    let greeting = (form == Form::Events).then(|| {
        let why = size.is_none().then(|| StructuredLogMessage::remark(found.why_nothing()));
        let why = why.map(|message| {
            let mut text = b"event: note\ndata: ".to_vec();
            message.write(&mut text);
            text.extend_from_slice(b"\n\n");
            text
        });
        let mut greeting = b"retry: 2000\n\n".to_vec();
        greeting.extend(why.unwrap_or_default());
        Bytes::from(greeting)
    });
    let has_ended = found.has_ended();
    let follower = Follower {
        reading: Reading::new(found.source, start, Until::Ended, form != Form::Text),
        form,
        access,
        closing: app.live.closing.clone(),
        beats: beats(BEAT),
        ends_at: Instant::now() + FOLLOW,
        greeting,
        is_done: false,
        _seat: seat,
    };
    let body = Body::from_stream(stream::try_unfold(follower, |mut follower| async move {
        Ok::<_, io::Error>(follower.next().await?.map(|piece| (piece, follower)))
    }));
    let mut response = body.into_response();
    mark_live(
        &mut response,
        match form {
            Form::Events => "text/event-stream",
            Form::Ndjson => "application/x-ndjson",
            Form::Json | Form::Text => super::TEXT,
        },
    );
    describe(&mut response, start, size.unwrap_or(0), has_ended);
    Ok(response)
}

impl Follower {
    /// Waits for the next piece; `None` when the stream ends.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        if let Some(greeting) = self.greeting.take() {
            return Ok(Some(greeting));
        }
        loop {
            let is_late = Instant::now() >= self.ends_at;
            if self.is_done || is_late || self.closing.is_cancelled() || !self.access.may_go_on().await {
                return Ok(None);
            }
            match self.reading.next().await? {
                Next::Bytes(bytes) => return Ok(Some(self.encode(bytes))),
                Next::End => {
                    self.is_done = true;
                    let farewell = (self.form == Form::Events).then(|| Bytes::from_static(b"event: end\ndata: {}\n\n"));
                    return Ok(farewell);
                }
                Next::Wait(pause) => {
                    tokio::select! {
                        () = self.closing.cancelled() => return Ok(None),
                        () = tokio::time::sleep(pause) => {}
                        _ = self.beats.tick() => if self.form == Form::Events {
                            return Ok(Some(Bytes::from_static(b":\n\n")));
                        }
                    }
                }
            }
        }
    }

    fn encode(&self, bytes: Vec<u8>) -> Bytes {
        if self.form != Form::Events {
            return encode(bytes, self.form);
        }
        // The position to resume from, and the messages up to there.
        let mut out = format!("id: {}\ndata: [", self.reading.offset()).into_bytes();
        for (number, line) in lines(&bytes).enumerate() {
            if number > 0 {
                out.push(b',');
            }
            StructuredLogMessage::of(line).write(&mut out);
        }
        out.extend_from_slice(b"]\n\n");
        out.into()
    }
}
