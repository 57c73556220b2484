//! What is bounded of a bank's files: elements, texts, files, findings.

/// Elements in one another.
pub const DEPTH_MAX: usize = 32;
/// Namespaces that are declared at a time.
pub const NAMESPACES_MAX: usize = 64;
/// Attributes of one element, declarations of namespaces among them.
pub const ATTRIBUTES_MAX: usize = 64;
/// Bytes of an element's text.
pub const TEXT_BYTES_MAX: usize = 64 << 10;
/// Bytes of one tag, comment, instruction, or of text without a tag in it.
pub const TOKEN_BYTES_MAX: usize = 1 << 20;
/// Bytes of a file.
pub const FILE_BYTES_MAX: u64 = 16 << 20;
/// Bytes of a file with a camt.053, which is read as a stream.
pub const STREAM_BYTES_MAX: u64 = 256 << 20;
/// Elements of one record: a status, a return, an entry without its details, one detail.
pub const RECORD_ELEMENTS_MAX: usize = 4_096;
/// Bytes of a record's texts and names together.
pub const RECORD_BYTES_MAX: usize = 512 << 10;
/// Details of one entry.
pub const DETAILS_MAX: usize = 50_000;
/// Findings that [`crate::read_file`] keeps; the others are counted.
pub const FINDINGS_MAX: usize = 1_000;
