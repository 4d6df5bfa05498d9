//! Writes the Rust code of a descriptor set: `coprocess-generator SET FOLDER`.

use prost::Message;
use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1);
    let (Some(set), Some(folder), None) = (args.next(), args.next(), args.next()) else {
        return Err("usage: coprocess-generator SET FOLDER".into());
    };
    let set = FileDescriptorSet::decode(std::fs::read(set)?.as_slice())?;
    tonic_prost_build::configure().out_dir(folder).compile_fds(set)?;
    Ok(())
}
