//! The macros that give structs and enums their field numbers.

/// Gives the fields of a struct their numbers: `message!(Row { 1 => id, 2 => kind: Kind, ..choice });`. A field without a
/// number does not compile. `kind: Kind` is an enumeration kept as a number, with a getter of its name; `..choice` is an
/// `Option` of an enum of `one_of!`.
macro_rules! message {
    ($name:ident $(<$life:lifetime>)? {
        $($number:literal => $field:ident $(: $kind:ident)?),* $(,)? $(..$choice:ident)?
    }) => {
        $crate::protobuf::message!(@impl $name [$(<$life>)?] $($life)? 'a; [$($number => $field),*] [$($choice)?]);
        $($($crate::protobuf::message!(@getter $name $field $kind);)?)*
    };
    (@getter $name:ident $field:ident $kind:ident) => {
        impl $name {
            #[doc = concat!("The variant of `", stringify!($field), "`; the first one for a variant of a later version.")]
            pub fn $field(&self) -> $kind {
                $kind::try_from(self.$field).unwrap_or_default()
            }
        }
    };
    (@impl $name:ident [$($own:tt)*] $life:lifetime $($none:lifetime)?;
        [$($number:literal => $field:ident),*] [$($choice:ident)?]
    ) => {
        impl<$life> $crate::protobuf::Message<$life> for $name $($own)* {
            fn put_fields(&self, _out: &mut $crate::protobuf::Writer) {
                let Self { $($field,)* $($choice)? } = self;
                $($crate::protobuf::Value::put_present($field, $number, _out);)*
                $(if let Some(choice) = $choice {
                    $crate::protobuf::OneOf::put_variant(choice, _out);
                })?
            }
            fn take_field(
                &mut self,
                number: u32,
                _field: causeway_proto::protobuf::Field<$life>,
            ) -> Result<(), causeway_proto::protobuf::FieldError> {
                match number {
                    $($number => $crate::protobuf::Value::take(&mut self.$field, _field),)*
                    _ => {
                        $(if let Some(choice) = $crate::protobuf::OneOf::take_variant(number, _field)? {
                            self.$choice = Some(choice);
                        })?
                        Ok(())
                    }
                }
            }
        }
        impl<$life> $crate::protobuf::Value<$life> for $name $($own)* {
            fn is_absent(&self) -> bool {
                false
            }
            fn put(&self, number: u32, out: &mut $crate::protobuf::Writer) {
                $crate::protobuf::put_nested(self, number, out);
            }
            fn take(
                &mut self,
                field: causeway_proto::protobuf::Field<$life>,
            ) -> Result<(), causeway_proto::protobuf::FieldError> {
                $crate::protobuf::take_nested(self, field)
            }
        }
    };
}
pub(crate) use message;

/// Gives the variants of an enum, which hold a message each, their numbers: `one_of!(Entry { 1 => Row, 2 => End });`.
macro_rules! one_of {
    ($name:ident { $($number:literal => $variant:ident),* $(,)? }) => {
        impl<'a> $crate::protobuf::OneOf<'a> for $name {
            fn put_variant(&self, out: &mut $crate::protobuf::Writer) {
                match self {
                    $(Self::$variant(message) => $crate::protobuf::put_nested(message, $number, out),)*
                }
            }
            fn take_variant(
                number: u32,
                field: causeway_proto::protobuf::Field<'a>,
            ) -> Result<Option<Self>, causeway_proto::protobuf::FieldError> {
                Ok(Some(match number {
                    $($number => {
                        let mut message = Default::default();
                        $crate::protobuf::take_nested(&mut message, field)?;
                        Self::$variant(message)
                    })*
                    _ => return Ok(None),
                }))
            }
        }
    };
}
pub(crate) use one_of;
