//! Borrows columns and lends results through the Arrow PyCapsule interface, without copies.

use std::ffi::CStr;
use std::ptr::NonNull;
use std::sync::Arc;

use arrow_array::cast::AsArray as _;
use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{ArrayStreamReader, FFI_ArrowArrayStream};
use arrow_array::{
    Array as _, ArrayReader as _, ArrayRef, RecordBatch, RecordBatchIterator, make_array,
};
use arrow_schema::{ArrowError, DataType};
use bowstring::Error;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

const STREAM: &CStr = c"arrow_array_stream";
const SCHEMA: &CStr = c"arrow_schema";
const ARRAY: &CStr = c"arrow_array";

fn failed(error: ArrowError) -> Error {
    Error::Source(Box::new(error))
}

/// A column that Python lends: its type, and its chunks as they come.
pub struct Column {
    /// The Arrow type of every chunk.
    pub data_type: DataType,
    chunks: Box<dyn Iterator<Item = Result<ArrayRef, ArrowError>> + Send>,
}

impl Column {
    /// The chunks, or what their producer failed with.
    pub fn chunks(self) -> impl Iterator<Item = bowstring::Result<ArrayRef>> + Send {
        self.chunks.map(|chunk| chunk.map_err(failed))
    }
}

fn pointer<T>(capsule: &Bound<'_, PyAny>, name: &CStr) -> PyResult<NonNull<T>> {
    Ok(capsule.cast::<PyCapsule>()?.pointer_checked(Some(name))?.cast())
}

fn arrow_error(py: Python<'_>, error: ArrowError) -> PyErr {
    crate::error::to_python(py, &failed(error))
}

impl<'py> FromPyObject<'_, 'py> for Column {
    type Error = PyErr;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.hasattr("__arrow_c_stream__")? {
            let capsule = object.call_method0("__arrow_c_stream__")?;
            let stream = pointer::<FFI_ArrowArrayStream>(&capsule, STREAM)?;
            // SAFETY: a capsule of this name holds a valid stream (the Arrow PyCapsule interface),
            // and is alive here. Its contents are moved out, a released stream stays behind.
            let reader = unsafe { ArrayStreamReader::from_raw(stream.as_ptr()) };
            let reader = reader.map_err(|error| arrow_error(py, error))?;
            let data_type = reader.field().data_type().clone();
            // Python lends a column that it reads bit by bit as structs of one field.
            if let DataType::Struct(fields) = &data_type
                && let [field] = fields.as_ref()
            {
                let data_type = field.data_type().clone();
                let chunks = reader.map(|chunk| Ok(Arc::clone(chunk?.as_struct().column(0))));
                return Ok(Self { data_type, chunks: Box::new(chunks) });
            }
            return Ok(Self { data_type, chunks: Box::new(reader) });
        }
        if object.hasattr("__arrow_c_array__")? {
            let capsules = object.call_method0("__arrow_c_array__")?;
            let capsules = capsules.cast::<PyTuple>()?;
            let schema = pointer::<FFI_ArrowSchema>(&capsules.get_item(0)?, SCHEMA)?;
            let array = pointer::<FFI_ArrowArray>(&capsules.get_item(1)?, ARRAY)?;
            // SAFETY: a capsule of this name holds a valid array, and is alive here. Its contents
            // are moved out, a released array stays behind.
            let array = unsafe { FFI_ArrowArray::from_raw(array.as_ptr()) };
            // SAFETY: a capsule of this name holds a valid schema, which outlives this borrow.
            let schema = unsafe { schema.as_ref() };
            if array.is_released() {
                let error = ArrowError::CDataInterface("the array was taken before".into());
                return Err(arrow_error(py, error));
            }
            // SAFETY: the interface promises that the schema describes the array.
            let data = unsafe { from_ffi(array, schema) };
            let array = make_array(data.map_err(|error| arrow_error(py, error))?);
            let data_type = array.data_type().clone();
            return Ok(Self { data_type, chunks: Box::new(std::iter::once(Ok(array))) });
        }
        Err(crate::error::to_python(
            py,
            &Error::UnsupportedType(format!(
                "{} is no Arrow column: it has neither __arrow_c_stream__ nor __arrow_c_array__",
                object.get_type().name()?
            )),
        ))
    }
}

/// One Arrow array, lent without a copy.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Array(pub ArrayRef);

#[pymethods]
impl Array {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        // A producer may ignore the requested schema.
        drop(requested_schema);
        let (array, schema) = to_ffi(&self.0.to_data()).map_err(|error| arrow_error(py, error))?;
        Ok((
            PyCapsule::new_with_value(py, schema, SCHEMA)?,
            PyCapsule::new_with_value(py, array, ARRAY)?,
        ))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// One Arrow table, lent without a copy.
#[pyclass(frozen, module = "bowstring._core")]
pub struct Table(pub RecordBatch);

#[pymethods]
impl Table {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A producer may ignore the requested schema.
        drop(requested_schema);
        let batches = std::iter::once(Ok(self.0.clone()));
        let reader = RecordBatchIterator::new(batches, Arc::clone(&self.0.schema()));
        PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(Box::new(reader)), STREAM)
    }

    fn __len__(&self) -> usize {
        self.0.num_rows()
    }
}
