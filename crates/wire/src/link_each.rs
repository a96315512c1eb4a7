//! How each of several links ended that were asked for in one call.

use braid_types::{Code, Error};
use prost::Message;

use crate::field::{Field, in_field};
use crate::object::Object;
use crate::page::batch;
use crate::proto;
use crate::status::{detail_of, error_from_detail};

/// How one link ended: the object that was staged, or why it was not.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkAnswer(pub Result<Object, Error>);

impl Field for LinkAnswer {
    type Wire = proto::LinkAnswer;

    fn read(wire: proto::LinkAnswer) -> Result<Self, Error> {
        use proto::link_answer::Answer as Wire;
        match wire.answer {
            Some(Wire::Object(object)) => {
                in_field("object", Field::read(object)).map(|object| Self(Ok(object)))
            }
            Some(Wire::Failure(detail)) => Ok(Self(Err(error_from_detail(tonic::Code::Unknown, detail)))),
            None => {
                let message = "answer: one of 'object' and 'failure' must be given";
                Err(Error::new(Code::InvalidArgument, "answer", message))
            }
        }
    }

    fn write(self) -> proto::LinkAnswer {
        use proto::link_answer::Answer as Wire;
        let answer = match self.0 {
            Ok(object) => Wire::Object(object.write()),
            Err(error) => Wire::Failure(detail_of(&error)),
        };
        proto::LinkAnswer { answer: Some(answer) }
    }
}

/// How many bytes a link takes among others.
pub fn encoded_link_bytes(call: &proto::LinkUploadRequest) -> usize {
    call.encoded_len()
}

batch!(LinkAnswer = LinkEachResponse.answers);
